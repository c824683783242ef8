"""What a release says of itself, and that the installers' own files are what their systems expect."""

from __future__ import annotations

import json
import plistlib
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import licences
import linux
import product
import pytest
import release

CHANGELOG = (
    "# Changelog\n\n## Unreleased\n\n- new\n\n## 1.2.0 (2026-11-21)\n\n### Added\n\n- this\n\n## 1.1.0\n\n- that\n"
)


def test_notes_are_what_stands_under_the_version():
    assert release.notes("1.2.0", CHANGELOG) == "### Added\n\n- this"
    assert release.notes("1.1.0", CHANGELOG) == "- that"
    assert release.notes("1.0.0", CHANGELOG) == ""
    assert release.notes("1.2", CHANGELOG) == "", "a part of a number is another version"


def test_a_tag_of_another_version_or_without_a_word_is_refused():
    release.check("v1.2.0", "1.2.0", CHANGELOG)
    with pytest.raises(SystemExit, match=r"v1\.3\.0 was expected"):
        release.check("v1.2.0", "1.3.0", CHANGELOG)
    with pytest.raises(SystemExit, match="says nothing"):
        release.check("v1.3.0", "1.3.0", CHANGELOG)


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="sha256sum is missing")
def test_checksums_can_be_checked_by_anybody(tmp_path: Path):
    (tmp_path / "b 文.deb").write_bytes(b"b")
    (tmp_path / "a.run").write_bytes(b"a")
    assert release.main(["sums", str(tmp_path)]) == 0
    subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True)
    assert release.sums(tmp_path).count("\n") == 2


def test_the_version_stands_in_one_place():
    assert product.version() == product.project()["version"]
    assert product.installer_name(".deb").startswith(f"Orcinus-{product.version()}-")
    assert product.installer_name(".exe", "cuda").endswith("-cuda.exe")


def test_the_bill_of_materials_is_the_same_for_the_same_parts():
    parts = [licences.Component("b", "2", "MIT", purl="pkg:pypi/b@2"), licences.Component("Python", "3", "Python-2.0")]
    bill = licences.bill_of_materials(parts)
    assert json.dumps(bill) == json.dumps(licences.bill_of_materials(parts))
    assert bill["specVersion"] == "1.5"
    assert [part["name"] for part in bill["components"]] == ["b", "Python"]
    other = licences.bill_of_materials(parts[:1])
    assert other["serialNumber"] != bill["serialNumber"]


def test_all_licences_lie_together_with_a_list(tmp_path: Path):
    text = tmp_path / "LICENSE"
    text.write_text("do what you like")
    part = licences.Component("some/part", "1", "MIT", texts=[text, text])
    licences.write_licences([part], tmp_path / "licences")
    assert (tmp_path / "licences" / "some-part" / "LICENSE").read_text() == "do what you like"
    assert "some/part 1: MIT" in (tmp_path / "licences" / "README.txt").read_text("utf-8")
    assert (tmp_path / "licences" / "LICENSE-Orcinus.txt").is_file()


def test_desktop_entry_and_appstream_data_are_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    linux.desktop_files(tmp_path)
    meta = tmp_path / "metainfo" / f"{product.APP_ID}.metainfo.xml"
    assert ElementTree.parse(meta).getroot().findtext("id") == product.APP_ID
    entry = (tmp_path / "applications" / "orcinus.desktop").read_text("utf-8")
    assert "MimeType=application/x-gguf;" in entry
    types = ElementTree.parse(tmp_path / "mime" / "packages" / "orcinus.xml").getroot()
    assert types[0].attrib["type"] == "application/x-gguf"
    if shutil.which("desktop-file-validate"):
        subprocess.run(["desktop-file-validate", tmp_path / "applications" / "orcinus.desktop"], check=True)
    if shutil.which("appstreamcli"):
        subprocess.run(["appstreamcli", "validate", "--no-net", meta], check=True, capture_output=True)


def test_windows_and_macos_are_told_what_they_need():
    manifest = ElementTree.parse(product.HERE / "windows" / "orcinus.manifest").getroot()
    told = {element.tag.rsplit("}", 1)[1]: element.text for element in manifest.iter()}
    assert (told["longPathAware"], told["dpiAwareness"]) == ("true", "PerMonitorV2")
    rights = plistlib.loads((product.HERE / "macos" / "entitlements.plist").read_bytes())
    assert rights == {"com.apple.security.cs.allow-unsigned-executable-memory": True}


@pytest.mark.skipif(not shutil.which("makensis"), reason="makensis is missing")
def test_the_installer_for_windows_compiles_without_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import icons
    import windows

    monkeypatch.setattr(product, "BUILD", tmp_path)
    icons.main(tmp_path / "icons")
    bundle = tmp_path / "Orcinus"
    (bundle / "_internal").mkdir(parents=True)
    (bundle / "orcinus.exe").write_bytes(b"MZ")
    (bundle / "_internal" / "part").write_bytes(b"x")
    windows.compile_script(bundle, tmp_path / "Orcinus-1.exe", 1)
    assert (tmp_path / "Orcinus-1.exe").read_bytes()[:2] == b"MZ"
