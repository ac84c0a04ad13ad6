/* sysinfo asks Windows for the processor's load through pdh.dll, and wine 8 aborts at one of its
 * functions. This library says of all that sysinfo uses that there is no such counter, as a Windows
 * does whose counters are damaged: loads are then told as 0. For tests in wine only: no program
 * ships it. */
#include <windows.h>

#define NO_OBJECT ((LONG)0xC0000BB8) /* PDH_CSTATUS_NO_OBJECT */
#define MISSING(name) \
    __declspec(dllexport) LONG WINAPI name(void) { return NO_OBJECT; }

/* On this processor the caller clears the stack, whatever it has given. */
MISSING(PdhAddEnglishCounterW)
MISSING(PdhCloseQuery)
MISSING(PdhCollectQueryData)
MISSING(PdhEnumObjectsW)
MISSING(PdhGetFormattedCounterArrayW)
MISSING(PdhGetFormattedCounterValue)
MISSING(PdhOpenQueryW)
MISSING(PdhRemoveCounter)
