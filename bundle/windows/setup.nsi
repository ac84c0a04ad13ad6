; Confab's setup for Windows, for the person who runs it: no administrator is asked for.
; `cargo xtask bundle windows` says where things are:
;   VERSION    0.1.0
;   NUMBERS    0.1.0.0
;   FILES      the folder to install, with one level of files in it
;   LISTS      the folder with install.nsh, remove.nsh and size.nsh, made from FILES
;   ICON       the program's icon
;   OUT        what to make
;
; setup.exe /S installs without a window and prints what has to be said; /D=FOLDER, last and
; without quotes, says where to. uninstall.exe /S removes. Status 2: a program of ours still runs.

!ifndef PLATFORM
  !define PLATFORM amd64-unicode
!endif
Target ${PLATFORM}
SetCompressor /SOLID lzma
ManifestDPIAware true
ManifestSupportedOS Win10
RequestExecutionLevel user

!include MUI2.nsh
!include LogicLib.nsh
!include "${LISTS}/size.nsh"

!define REMOVAL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Confab"
!define SCHEME "Software\Classes\confab"
!define WEBVIEW "{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}"
!define WEBVIEW_PAGE "https://developer.microsoft.com/microsoft-edge/webview2/"
!define WEBVIEW_MISSING "Confab's window needs the Microsoft Edge WebView2 Runtime, which is not installed on this computer. The programs without a window run all the same."

Name "Confab"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\Confab"
InstallDirRegKey HKCU "${REMOVAL}" InstallLocation
BrandingText "Confab ${VERSION}"

VIProductVersion "${NUMBERS}"
VIAddVersionKey ProductName "Confab"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey FileDescription "Setup of Confab"
VIAddVersionKey LegalCopyright "The Confab authors"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_RUN "$INSTDIR\confab.exe"
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE English

; Prints $R0 where a silent setup was started from; there is no window to say it in.
!macro PRINT
  System::Call 'kernel32::GetStdHandle(i -11) p .R1'
  ${If} $R1 P<> 0
    FileWrite $R1 "$R0$\r$\n"
  ${EndIf}
!macroend

; A running program's file cannot be opened for writing.
!macro FREE UN PROGRAM
  ${UN}again_${PROGRAM}:
  ${If} ${FileExists} "$INSTDIR\${PROGRAM}.exe"
    ClearErrors
    FileOpen $R1 "$INSTDIR\${PROGRAM}.exe" a
    ${If} ${Errors}
      ${If} ${Silent}
        StrCpy $R0 "${PROGRAM} is running. Close it, then start this again."
        !insertmacro PRINT
      ${EndIf}
      MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "${PROGRAM} is running. Close it, then try again." /SD IDCANCEL IDRETRY ${UN}again_${PROGRAM}
      SetErrorLevel 2
      Quit
    ${EndIf}
    FileClose $R1
  ${EndIf}
!macroend

!macro ALL_FREE UN
  !insertmacro FREE "${UN}" confab
  !insertmacro FREE "${UN}" confab-headless
  !insertmacro FREE "${UN}" confab-server
!macroend

; Leaves the runtime's version in $R0, or nothing. Its installer writes it for the whole computer in
; the 32-bit part of the registry, or for the person.
!macro WEBVIEW_VERSION
  SetRegView 32
  ReadRegStr $R0 HKLM "Software\Microsoft\EdgeUpdate\Clients\${WEBVIEW}" pv
  SetRegView 64
  ${If} $R0 == ""
  ${OrIf} $R0 == "0.0.0.0"
    ReadRegStr $R0 HKCU "Software\Microsoft\EdgeUpdate\Clients\${WEBVIEW}" pv
  ${EndIf}
  ${If} $R0 == "0.0.0.0"
    StrCpy $R0 ""
  ${EndIf}
!macroend

Section
  SetRegView 64
  SetShellVarContext current
  !insertmacro ALL_FREE ""

  ; What an earlier version put there and this one does not have.
  ${If} ${FileExists} "$INSTDIR\uninstall.exe"
    ExecWait '"$INSTDIR\uninstall.exe" /S _?=$INSTDIR'
  ${EndIf}

  SetOutPath "$INSTDIR"
  !include "${LISTS}/install.nsh"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "$SMPROGRAMS\Confab.lnk" "$INSTDIR\confab.exe"

  ; Links that invite into a room.
  WriteRegStr HKCU "${SCHEME}" "" "URL:Confab invitation"
  WriteRegStr HKCU "${SCHEME}" "URL Protocol" ""
  WriteRegStr HKCU "${SCHEME}\DefaultIcon" "" "$INSTDIR\confab.exe,0"
  WriteRegStr HKCU "${SCHEME}\shell\open\command" "" '"$INSTDIR\confab.exe" -- "%1"'

  WriteRegStr HKCU "${REMOVAL}" DisplayName "Confab"
  WriteRegStr HKCU "${REMOVAL}" DisplayVersion "${VERSION}"
  WriteRegStr HKCU "${REMOVAL}" Publisher "The Confab authors"
  WriteRegStr HKCU "${REMOVAL}" DisplayIcon "$INSTDIR\confab.exe"
  WriteRegStr HKCU "${REMOVAL}" InstallLocation "$INSTDIR"
  WriteRegStr HKCU "${REMOVAL}" UninstallString '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${REMOVAL}" QuietUninstallString '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${REMOVAL}" EstimatedSize ${KIBIBYTES}
  WriteRegDWORD HKCU "${REMOVAL}" NoModify 1
  WriteRegDWORD HKCU "${REMOVAL}" NoRepair 1

  !insertmacro WEBVIEW_VERSION
  ${If} $R0 == ""
    DetailPrint "${WEBVIEW_MISSING}"
    ${If} ${Silent}
      StrCpy $R0 "${WEBVIEW_MISSING} It is at ${WEBVIEW_PAGE}"
      !insertmacro PRINT
    ${Else}
      MessageBox MB_YESNO|MB_ICONEXCLAMATION "${WEBVIEW_MISSING}$\r$\n$\r$\nOpen Microsoft's page, where it can be downloaded?" IDNO +2
      ExecShell open "${WEBVIEW_PAGE}"
    ${EndIf}
  ${EndIf}
SectionEnd

; Only what was installed, file by file: what people put beside it, and their data, stay.
Section Uninstall
  SetRegView 64
  SetShellVarContext current
  !insertmacro ALL_FREE un
  !include "${LISTS}/remove.nsh"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\Confab.lnk"
  DeleteRegKey HKCU "${SCHEME}"
  DeleteRegKey HKCU "${REMOVAL}"
SectionEnd
