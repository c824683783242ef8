#!/bin/sh
# Orcinus @VERSION@ for Linux: installs itself for you alone, without root, and opens.
#
#   sh @FILE@                  install, or update what is there, and open the window
#   sh @FILE@ --portable DIR   unpack into DIR, with a folder "data" that keeps everything
#   sh @FILE@ --no-start       install and do not open
#   sh @FILE@ --uninstall      remove it; chats stay, unless --with-chats follows
set -eu

SIZE=@SIZE@
SHA256=@SHA256@
START=@START@

self=$0
data=${XDG_DATA_HOME:-$HOME/.local/share}
home=$HOME/.local/lib/orcinus
command=$HOME/.local/bin/orcinus
icons=$data/icons/hicolor

has() {
    command -v "$1" >/dev/null 2>&1
}

say() {
    printf '%s\n' "$1"
    # opened by a double click there is no terminal to read it in
    if [ ! -t 1 ]; then
        if has zenity; then zenity "--$2" --title=Orcinus --no-markup --text="$1" 2>/dev/null || :
        elif has kdialog; then kdialog --title Orcinus --msgbox "$1" 2>/dev/null || :
        elif has notify-send; then notify-send Orcinus "$1" 2>/dev/null || :
        fi
    fi
}

fail() {
    say "$1" error >&2
    exit 1
}

refresh() {
    # the desktop notices new files by itself sooner or later; these make it now
    if has update-desktop-database; then update-desktop-database -q "$data/applications" 2>/dev/null || :; fi
    if has update-mime-database; then update-mime-database "$data/mime" >/dev/null 2>&1 || :; fi
    if has gtk-update-icon-cache; then gtk-update-icon-cache -q -t "$icons" 2>/dev/null || :; fi
}

# A path as the Exec line of a desktop entry wants it
quoted() {
    printf '%s' "$1" | sed -e 's/[\\"`$]/\\&/g' -e 's/\\/\\\\/g' -e 's/%/%%/g' -e 's/^/"/' -e 's/$/"/'
}

unpack() { # into the folder $1, which is made
    has xz || fail 'This installer needs the program xz ("xz-utils" or "xz" in your package manager).'
    [ "$(wc -c <"$self")" -eq "$SIZE" ] || fail 'This file is incomplete. Please download it again.'
    if has sha256sum; then
        [ "$(tail -n "+$START" "$self" | sha256sum | cut -d ' ' -f 1)" = "$SHA256" ] ||
            fail 'This file is damaged. Please download it again.'
    fi
    mkdir -p "$1" || fail "The folder $1 cannot be made."
    tail -n "+$START" "$self" | xz -dc | tar -xf - -C "$1" || fail "There is not enough room in $1, or it cannot be written to."
}

install_program() {
    fresh=$home.new.$$
    trap 'rm -rf "$fresh"' EXIT
    rm -rf "$fresh"
    unpack "$fresh"
    mkdir -p "$HOME/.local/bin" "$data/applications" "$data/mime/packages" "$data/metainfo"
    # a program that runs keeps its files open, so it may be replaced under it
    rm -rf "$home.old"
    if [ -e "$home" ]; then mv "$home" "$home.old"; fi
    mv "$fresh/program" "$home"
    rm -rf "$home.old"
    ln -sf "$home/orcinus" "$command"
    escaped=$(quoted "$home/orcinus" | sed -e 's/[\\&|]/\\&/g')
    sed -e "s|^Exec=orcinus|Exec=$escaped|" -e "/^TryExec=/d" "$fresh/share/applications/orcinus.desktop" \
        >"$data/applications/orcinus.desktop"
    (cd "$fresh/share" && tar -cf - icons mime metainfo) | tar -xf - -C "$data"
    sed '/^#END#$/q' "$self" >"$home/uninstall.sh"
    refresh
}

uninstall_program() {
    rm -rf "$home" "$command" "$data/applications/orcinus.desktop" "$data/mime/packages/orcinus.xml" \
        "$data/metainfo/@APP_ID@.metainfo.xml"
    find "$icons" -name 'orcinus.png' -path '*/apps/*' -delete 2>/dev/null || :
    find "$icons" -name 'orcinus.svg' -path '*/apps/*' -delete 2>/dev/null || :
    refresh
    if [ "${1:-}" = --with-chats ]; then
        rm -rf "$data/Orcinus" "${XDG_CACHE_HOME:-$HOME/.cache}/Orcinus" "${XDG_STATE_HOME:-$HOME/.local/state}/Orcinus"
        say 'Orcinus, its chats, settings and models are removed.' info
    else
        say "Orcinus is removed. Chats, settings and models stay in $data/Orcinus." info
    fi
}

case ${1:-} in
--help | -h)
    sed -n '2,7s/^# \{0,1\}//p' "$self"
    ;;
--uninstall)
    uninstall_program "${2:-}"
    ;;
--portable)
    [ -n "${2:-}" ] || fail 'Say where to: --portable FOLDER'
    [ ! -e "$2/Orcinus" ] || fail "There is something called Orcinus in $2 already."
    fresh=$2/.orcinus.$$
    trap 'rm -rf "$fresh"' EXIT
    unpack "$fresh"
    mkdir "$fresh/program/data"
    mv "$fresh/program" "$2/Orcinus"
    say "Orcinus is in $2/Orcinus and keeps everything there. Open it with the program orcinus in that folder." info
    ;;
'' | --no-start)
    install_program
    echo "Orcinus is installed in $home. You find it among your programs, or as: $command"
    echo "To remove it: sh $home/uninstall.sh --uninstall"
    if [ "${1:-}" = '' ] && [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
        rm -rf "$fresh"
        exec "$home/orcinus"
    fi
    ;;
*)
    fail "Orcinus's installer does not know $1; --help tells what it knows."
    ;;
esac
exit 0
#END#
