#define _GNU_SOURCE 1
#include "CLinux.h"

#include <linux/watchdog.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/time.h>

static int address_of(const char *path, struct sockaddr_un *address, socklen_t *size) {
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof address->sun_path) return ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, n);
    if (path[0] == '@') address->sun_path[0] = 0;
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] != '@'));
    return 0;
}

int linux_send_datagram(const char *path, const char *text, size_t length) {
    struct sockaddr_un address;
    socklen_t size;
    int code = address_of(path, &address, &size);
    if (code) return code;
    int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0) return errno;
    code = sendto(s, text, length, MSG_NOSIGNAL, (struct sockaddr *)&address, size) < 0 ? errno : 0;
    close(s);
    return code;
}

int linux_control_listen(const char *path, gid_t group) {
    struct sockaddr_un address;
    socklen_t size;
    int code = address_of(path, &address, &size);
    int s = code ? -1 : socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0) return errno = code ? code : errno, -1;
    if (unlink(path) && errno != ENOENT) code = errno;
    // Nobody may connect before it belongs to whom it is for: until it listens it refuses everybody. A umask would be all threads'.
    if (!code && bind(s, (struct sockaddr *)&address, size)) code = errno;
    if (!code && group && chown(path, 0, group)) code = errno;
    if (!code && chmod(path, group ? 0660 : 0600)) code = errno;
    if (!code && listen(s, 8)) code = errno;
    if (!code) return s;
    close(s);
    errno = code;
    return -1;
}

int linux_control_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int linux_control_connect(const char *path, int64_t timeout) {
    struct sockaddr_un address;
    socklen_t size;
    int code = address_of(path, &address, &size);
    int s = code ? -1 : socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (s < 0) return errno = code ? code : errno, -1;
    struct timeval limit = {timeout / 1000, timeout % 1000 * 1000};
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (!connect(s, (struct sockaddr *)&address, size)) return s;
    code = errno;
    close(s);
    errno = code;
    return -1;
}

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif
int linux_peer_is_allowed(int connection, gid_t group) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size)) return 0;
    if (peer.uid == 0) return 1;
    if (group == 0) return 0;
    if (peer.gid == group) return 1;
    // Since Linux 4.13. Who is in more groups than fit is not one of an appliance's users.
    gid_t groups[256];
    size = sizeof groups;
    if (getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, groups, &size)) return 0;
    for (size_t i = 0; i < size / sizeof *groups; i++)
        if (groups[i] == group) return 1;
    return 0;
}

ssize_t linux_receive_message(int connection, void *buffer, size_t size) {
    return recv(connection, buffer, size, MSG_TRUNC);
}

int linux_send_message(int connection, const void *bytes, size_t length) {
    return send(connection, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

void linux_watchdog_timeout(int device, int *seconds) {
    // Some have a timeout that nothing changes; then it is what it is.
    if (ioctl(device, WDIOC_SETTIMEOUT, seconds)) ioctl(device, WDIOC_GETTIMEOUT, seconds);
}
