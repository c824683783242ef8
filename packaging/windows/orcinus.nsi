; The installer for Windows: for one person, without an administrator. windows.py fills in what is defined outside:
; VERSION, FILE_VERSION, FILES (a pattern for all in the bundle's folder), OUTPUT, ICON, SIZE_KB.

Unicode true
!include MUI2.nsh
!include LogicLib.nsh
!include FileFunc.nsh
!include nsDialogs.nsh

!define NAME "Orcinus"
!define PROGRAM "orcinus.exe"
!define CLASS "Orcinus.gguf"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Orcinus"

Name "${NAME}"
BrandingText "${NAME} ${VERSION}"
OutFile "${OUTPUT}"
RequestExecutionLevel user
InstallDir "$LOCALAPPDATA\Programs\Orcinus"
InstallDirRegKey HKCU "Software\Orcinus" "Folder"
SetCompressor /SOLID lzma
SetCompressorDictSize 64
ManifestDPIAware true
ManifestLongPathAware true
ManifestSupportedOS Win10

VIProductVersion "${FILE_VERSION}"
VIAddVersionKey ProductName "${NAME}"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey FileDescription "Installs ${NAME}"
VIAddVersionKey LegalCopyright "The Orcinus authors, Apache-2.0"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\${PROGRAM}"
!define MUI_FINISHPAGE_RUN_TEXT "Open ${NAME}"

!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
UninstPage custom un.AskForChats un.NoteAnswer
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

Var Dialog
Var Box
Var ChatsToo

; A window that is open holds its files: ask for it to be closed, and go on when it is.
!macro WaitForProgram
  ${Do}
    ClearErrors
    ${IfNot} ${FileExists} "$INSTDIR\${PROGRAM}"
      ${Break}
    ${EndIf}
    FileOpen $0 "$INSTDIR\${PROGRAM}" a
    ${IfNot} ${Errors}
      FileClose $0
      ${Break}
    ${EndIf}
    MessageBox MB_OKCANCEL|MB_ICONINFORMATION "${NAME} is open. Please close its window, then choose OK." /SD IDCANCEL IDOK +2
    Abort "${NAME} is open."
  ${Loop}
!macroend

; The program's own files and no others: the folder may hold "data", which is the person's.
!macro RemoveProgram
  RMDir /r "$INSTDIR\_internal"
  Delete "$INSTDIR\orcinus.exe"
  Delete "$INSTDIR\orcinus-console.exe"
!macroend

Section "Install"
  !insertmacro WaitForProgram
  !insertmacro RemoveProgram
  SetOutPath "$INSTDIR"
  File /r "${FILES}"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr HKCU "Software\Orcinus" "Folder" "$INSTDIR"

  CreateShortcut "$SMPROGRAMS\${NAME}.lnk" "$INSTDIR\${PROGRAM}"

  WriteRegStr HKCU "Software\Classes\${CLASS}" "" "GGUF model"
  WriteRegStr HKCU "Software\Classes\${CLASS}\DefaultIcon" "" "$INSTDIR\${PROGRAM},0"
  WriteRegStr HKCU "Software\Classes\${CLASS}\shell\open\command" "" '"$INSTDIR\${PROGRAM}" "%1"'
  WriteRegStr HKCU "Software\Classes\.gguf\OpenWithProgids" "${CLASS}" ""
  ReadRegStr $0 HKCU "Software\Classes\.gguf" ""
  ${If} $0 == ""
    WriteRegStr HKCU "Software\Classes\.gguf" "" "${CLASS}"
  ${EndIf}

  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "${NAME}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "$INSTDIR\${PROGRAM},0"
  WriteRegStr HKCU "${UNINSTALL}" "Publisher" "The Orcinus authors"
  WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL}" "EstimatedSize" ${SIZE_KB}
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
  ; Windows shows file types anew
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'
SectionEnd

Function un.AskForChats
  StrCpy $ChatsToo "0"
  !insertmacro MUI_HEADER_TEXT "Remove ${NAME}" "Your chats stay unless you say otherwise."
  nsDialogs::Create 1018
  Pop $Dialog
  ${NSD_CreateLabel} 0 0 100% 24u "The program is removed. Chats, settings and downloaded models are kept in$\r$\n$LOCALAPPDATA\Orcinus, so that they are there again when you install it again."
  Pop $0
  ${NSD_CreateCheckbox} 0 34u 100% 12u "Delete my chats, settings and downloaded models too. This cannot be undone."
  Pop $Box
  nsDialogs::Show
FunctionEnd

Function un.NoteAnswer
  ${NSD_GetState} $Box $0
  ${If} $0 == ${BST_CHECKED}
    StrCpy $ChatsToo "1"
  ${EndIf}
FunctionEnd

Section "Uninstall"
  !insertmacro WaitForProgram
  !insertmacro RemoveProgram
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\${NAME}.lnk"
  DeleteRegKey HKCU "${UNINSTALL}"
  DeleteRegKey HKCU "Software\Orcinus"
  DeleteRegKey HKCU "Software\Classes\${CLASS}"
  DeleteRegValue HKCU "Software\Classes\.gguf\OpenWithProgids" "${CLASS}"
  ReadRegStr $0 HKCU "Software\Classes\.gguf" ""
  ${If} $0 == "${CLASS}"
    DeleteRegValue HKCU "Software\Classes\.gguf" ""
  ${EndIf}
  ${If} $ChatsToo == "1"
    RMDir /r "$LOCALAPPDATA\Orcinus"
  ${EndIf}
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'
SectionEnd
