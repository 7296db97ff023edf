SUMMARY = "Boot daemon for the data partition and its SQLite databases"
DESCRIPTION = "Finds, checks, repairs and mounts an appliance's data partition, brings the SQLite databases on it to \
the schema that the image wants, shows on one LED how that went, and resets to factory state by a button."
# Of Swift's standard library, Apache-2.0 with Swift-exception, there are parts in the program: what the exception is for, which asks
# for no notice of them.
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

require firstlight-swift.inc

DEPENDS = "sqlite3 util-linux"

# The sources are those of the repository that this layer is in. A SRCREV could only name an older commit than the one
# that it is written in, and externalsrc would build a working tree with whatever lies in it. Fetched as files they are
# hashed one by one: a change rebuilds, sstate holds between machines, and a checkout is all that a build without
# network needs. (Tests are there since Package.swift names them; nothing of them is compiled.)
FIRSTLIGHT_SOURCES ?= "${@os.path.abspath(d.getVar('FILE_DIRNAME') + '/../../../../..')}"
FILESEXTRAPATHS:prepend := "${FIRSTLIGHT_SOURCES}:"
SRC_URI = " \
    file://LICENSE;subdir=${BP} \
    file://Package.swift;subdir=${BP} \
    file://Sources;subdir=${BP} \
    file://Tests;subdir=${BP} \
    file://docs/man;subdir=${BP} \
    file://packaging/toolsets;subdir=${BP} \
    file://rootfs-overlay;subdir=${BP} \
    file://scripts/cross-build;subdir=${BP} \
"

B = "${WORKDIR}/build"

inherit linuxloader systemd update-rc.d useradd

PACKAGECONFIG ??= "gpiod"
# Without it LED and button are the kernel's: led:NAME and key:NAME.
PACKAGECONFIG[gpiod] = ",--no-gpio,libgpiod"
# The daemon pets /dev/watchdog0 itself. Nobody else may then: not watchdog(8), not systemd (RuntimeWatchdogSec).
PACKAGECONFIG[watchdog] = ""
# Programs for `filesystem = f2fs`; ext4's are always there.
PACKAGECONFIG[f2fs] = ",,,f2fs-tools"

do_compile() {
    # Where the target's own compiler has its crt files and libgcc, which clang would not find by itself.
    libgcc=$(${CC} -print-libgcc-file-name)
    [ -e "$libgcc" ] || bbfatal "${CC} says that its libgcc is $libgcc, which is not there"

    # Not stripped: debug symbols are split off by do_package.
    PATH="${FIRSTLIGHT_SWIFT}/bin:$PATH" ${S}/scripts/cross-build \
        --target ${FIRSTLIGHT_TARGET} --sysroot ${STAGING_DIR_HOST} --gcc-install-dir "$(dirname "$libgcc")" \
        --dynamic-linker ${@get_linuxloader(d)} --output ${B}/bin --scratch ${B}/scratch --unstripped \
        ${PACKAGECONFIG_CONFARGS} ${@oe.utils.parallel_make_argument(d, '--jobs %d')}
}

do_install() {
    overlay=${S}/rootfs-overlay

    install -D -m 0755 ${B}/bin/firstlightd ${D}${sbindir}/firstlightd
    install -d ${D}${bindir}
    ln -rs ${D}${sbindir}/firstlightd ${D}${bindir}/firstlightctl

    install -D -m 0644 $overlay/etc/e2fsck.conf ${D}${sysconfdir}/e2fsck.conf
    if ${@bb.utils.contains('DISTRO_FEATURES', 'systemd', 'true', 'false', d)}; then
        install -d ${D}${systemd_system_unitdir}
        install -m 0644 $overlay/usr/lib/systemd/system/*.service ${D}${systemd_system_unitdir}/
    fi
    # Beside the units where a distribution has both: update-rc.d wants it then, and since wrynose systemd.bbclass takes it away.
    if ${@bb.utils.contains('DISTRO_FEATURES', 'sysvinit', 'true', 'false', d)} || \
        ${@bb.utils.contains('DISTRO_FEATURES', 'systemd', 'false', 'true', d)}; then
        install -D -m 0755 $overlay/etc/init.d/S15firstlight ${D}${sysconfdir}/init.d/firstlight
    fi

    if ${@bb.utils.contains('PACKAGECONFIG', 'watchdog', 'true', 'false', d)}; then
        install -d ${D}${sysconfdir}/firstlight.conf.d
        printf '[watchdog]\ndevice = /dev/watchdog0\n' >${D}${sysconfdir}/firstlight.conf.d/watchdog.conf
        chmod 0644 ${D}${sysconfdir}/firstlight.conf.d/watchdog.conf
    fi

    install -d ${D}${mandir}/man1 ${D}${mandir}/man5 ${D}${mandir}/man8
    for section in 1 5 8; do
        install -m 0644 ${S}/docs/man/*.$section ${D}${mandir}/man$section/
    done

    # Units for the application, all that the configuration can say, and a data logger's migrations.
    install -d ${D}${datadir}/firstlight
    cp -R --no-preserve=ownership $overlay/usr/share/firstlight/examples ${D}${datadir}/firstlight/
    install -m 0644 $overlay/etc/firstlight.conf ${D}${datadir}/firstlight/examples/
    cp -R --no-preserve=ownership $overlay/usr/share/firstlight/migrations/app ${D}${datadir}/firstlight/examples/migrations
    chmod -R u=rwX,go=rX ${D}${datadir}/firstlight
}

PACKAGES =+ "${PN}-examples"
FILES:${PN}-examples = "${datadir}/firstlight/examples"

SYSTEMD_SERVICE:${PN} = "firstlight.service firstlight-boot-complete.service"

# After fstab's tmpfs on /run (mountall.sh, 03), device nodes (udev or mdev, 04), the root filesystem writable (checkroot.sh,
# 05) and modules (06); before whatever wants the data. Stopped behind the application, before umountfs.
INITSCRIPT_NAME = "firstlight"
INITSCRIPT_PARAMS = "start 07 S . stop 90 0 6 ."

# Who may use the control socket beside root: [status] group.
USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system firstlight"

RDEPENDS:${PN} = "e2fsprogs-e2fsck e2fsprogs-mke2fs"
RRECOMMENDS:${PN} = "virtual-firstlight-conf"
RCONFLICTS:${PN} = "${@bb.utils.contains('PACKAGECONFIG', 'watchdog', 'watchdog', '', d)}"
CONFFILES:${PN} = "${sysconfdir}/e2fsck.conf ${@bb.utils.contains('PACKAGECONFIG', 'watchdog', '${sysconfdir}/firstlight.conf.d/watchdog.conf', '', d)}"
