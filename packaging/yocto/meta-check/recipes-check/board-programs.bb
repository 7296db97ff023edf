SUMMARY = "Packages that others only depend on, empty, and the accounts of base-passwd"
LICENSE = "CLOSED"

PROVIDES = "e2fsprogs f2fs-tools base-passwd base-files shadow shadow-sysroot initscripts update-rc.d systemd"

INHIBIT_DEFAULT_DEPS = "1"

do_install() {
    install -d ${D}${sysconfdir}
    echo 'root:x:0:0:root:/root:/bin/sh' >${D}${sysconfdir}/passwd
    echo 'root:x:0:' >${D}${sysconfdir}/group
    touch ${D}${sysconfdir}/login.defs
}
SYSROOT_DIRS += "${sysconfdir}"

PACKAGES = "e2fsprogs-e2fsck e2fsprogs-mke2fs f2fs-tools base-passwd base-files shadow initscripts update-rc.d systemd"
FILES:base-passwd = "${sysconfdir}"
python () {
    for package in d.getVar('PACKAGES').split():
        d.setVar('ALLOW_EMPTY:' + package, '1')
}
do_package_qa[noexec] = "1"
