/* Windows tells of an IPv4 socket that it is IPV6_V6ONLY; Linux, and so wine 8, refuses the question.
 * quinn-udp asks it of every socket and takes the refusal for a socket that cannot be used. Loaded
 * before wine's own libraries, this answers as Windows does and passes every other question on.
 * For tests in wine only. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ask(int socket, int level, int name, void *value, socklen_t *length)
{
    return (int)syscall(SYS_getsockopt, socket, level, name, value, length);
}

int getsockopt(int socket, int level, int name, void *restrict value, socklen_t *restrict length)
{
    int family = 0, yes = 1;
    socklen_t size = sizeof family;

    if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY &&
        ask(socket, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family == AF_INET) {
        /* As much as there is room for, as Linux does: wine makes room for one byte. */
        *length = *length < sizeof yes ? *length : sizeof yes;
        memcpy(value, &yes, *length);
        return 0;
    }
    return ask(socket, level, name, value, length);
}
