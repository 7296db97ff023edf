SUMMARY = "What the classes of oe-core have built for themselves first: this machine's own instead"
LICENSE = "CLOSED"

inherit native

PROVIDES += "virtual/fakeroot-native shadow-native rpm-native dwarfsrcfiles-native systemd-systemctl-native \
    update-rc.d-native opkg-utils-native zstd-native"

INHIBIT_DEFAULT_DEPS = "1"

do_install() {
    install -d ${D}${bindir} ${D}${libdir}/rpm
    # Who runs this is root already. -S asks its server to end.
    printf '#!/bin/sh\n[ "$1" = -S ] || exec "$@"\n' >${D}${bindir}/pseudo
    chmod 0755 ${D}${bindir}/pseudo
    ln -s /usr/lib/rpm/rpmdeps ${D}${libdir}/rpm/rpmdeps
}
