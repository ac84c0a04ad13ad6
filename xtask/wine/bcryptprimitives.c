/* Rust's standard library takes its random bytes on Windows from ProcessPrng in bcryptprimitives.dll,
 * which wine 8 does not have. This library has that one function and takes the bytes from the older
 * RtlGenRandom, which wine does have. For tests in wine only: no program ships it. */
#include <windows.h>

/* RtlGenRandom under the name that advapi32 exports it by. It takes at most a ULONG of bytes. */
BOOLEAN WINAPI SystemFunction036(PVOID bytes, ULONG count);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count)
{
    const ULONG most = 1UL << 30;

    for (SIZE_T done = 0; done < count;) {
        SIZE_T left = count - done;
        ULONG now = left < most ? (ULONG)left : most;

        if (!SystemFunction036(bytes + done, now))
            return FALSE;
        done += now;
    }
    return TRUE;
}
