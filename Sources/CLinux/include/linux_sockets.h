// Unix sockets: the control socket with its peers' credentials, and the datagrams of sd_notify. Watchdog devices.
#ifndef LINUX_SOCKETS_H
#define LINUX_SOCKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Sends one datagram to a unix socket without waiting; a leading '@' in `path` is the abstract namespace. Returns 0 or an errno.
int linux_send_datagram(const char *path, const char *text, size_t length);

/// A listening SOCK_SEQPACKET socket at `path`, close-on-exec and non-blocking, owned by root and `group`, for both to connect to
/// (`group` 0: root alone). What is there already is replaced. -1 with errno.
int linux_control_listen(const char *path, gid_t group);
/// The next connection, close-on-exec and non-blocking; -1 with errno.
int linux_control_accept(int listener);
/// Connects, and waits for that and for every answer at most so long, in milliseconds (0: no limit). -1 with errno.
int linux_control_connect(const char *path, int64_t timeout);
/// Whether the process at the other end was root or in `group` (0: root alone) when it connected: 1 or 0.
int linux_peer_is_allowed(int connection, gid_t group);
/// Takes one message: its whole length, which may be more than what went into `buffer`; 0 at the end, -1 with errno.
ssize_t linux_receive_message(int connection, void *buffer, size_t size);
/// Sends to a connected socket without waiting, and without a signal when nobody is there; 0 or an errno, ENOTSOCK for what is none.
int linux_send_message(int connection, const void *bytes, size_t length);

/// Sets a watchdog's timeout and says what it is then, both in seconds; what it was asked for where it does not say.
void linux_watchdog_timeout(int device, int *seconds);

#endif
