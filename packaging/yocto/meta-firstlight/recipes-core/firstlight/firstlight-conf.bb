SUMMARY = "Firstlight's configuration for this machine"
DESCRIPTION = "What a machine's layer replaces by a bbappend with a firstlight.conf of its own. The one that is here \
brings up the data partition and leaves LED, button and databases alone."
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

RPROVIDES:${PN} = "virtual-firstlight-conf"

# In a recipe of its own, as rauc-conf is: the program is the same for all machines of an architecture, LED and button are not.
PACKAGE_ARCH = "${MACHINE_ARCH}"
INHIBIT_DEFAULT_DEPS = "1"

SRC_URI = "file://firstlight.conf;subdir=${BP}"

# [data] mount: on a root filesystem that is read-only the daemon could not make it.
FIRSTLIGHT_MOUNT ?= "/data"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    if grep -q '^# The layer.s own' ${S}/firstlight.conf; then
        bbwarn "no firstlight.conf of this machine's: there will be no LED, no button and no database. Replace it by a firstlight-conf.bbappend, see docs/yocto.md"
    fi
    install -d ${D}${sysconfdir} ${D}${FIRSTLIGHT_MOUNT}
    install -m 0644 ${S}/firstlight.conf ${D}${sysconfdir}/
}

FILES:${PN} += "${FIRSTLIGHT_MOUNT}"
CONFFILES:${PN} = "${sysconfdir}/firstlight.conf"
