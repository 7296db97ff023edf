SUMMARY = "The C library, SQLite, libblkid and libgpiod, as a distribution built them"
LICENSE = "CLOSED"

PROVIDES = "virtual/libc sqlite3 util-linux libgpiod"

INHIBIT_DEFAULT_DEPS = "1"

# From a sysroot of Debian's to one that is laid out as oe-core's are: no folders of an architecture's name, the C library in
# base_libdir, gcc's own files where its gcc looks for them.
do_install() {
    from=${CHECK_SYSROOT}/usr
    debian=${CHECK_SYSROOT_ARCH}-linux-gnu

    install -d ${D}${includedir} ${D}${libdir}/${TARGET_SYS} ${D}${base_libdir}
    cp -RL --preserve=mode $from/include/. $from/include/$debian/. ${D}${includedir}/
    rm -r ${D}${includedir}/$debian
    cp -R --preserve=mode,links $from/lib/$debian/. ${D}${libdir}/
    # What the distribution links to another folder of its own.
    find ${D}${libdir} -type l ! -exec test -e {} \; -delete
    cp -R --preserve=mode,links $from/lib/gcc/$debian/* ${D}${libdir}/${TARGET_SYS}/
    sed -i -E '/^GROUP/s,/[^ ]*/([^ /]+),\1,g' ${D}${libdir}/libc.so ${D}${libdir}/libm.so
    if [ ${base_libdir} != ${libdir} ]; then
        mv ${D}${libdir}/ld-*.so.* ${D}${libdir}/libc.so.6 ${D}${libdir}/libm.so.6 ${D}${base_libdir}/
    fi
    chown -R root:root ${D}
}

# The packages that the libraries are in decide what do_package makes firstlight depend on.
PACKAGES = "libsqlite3 util-linux-libblkid libgpiod glibc ${PN}"
FILES:libsqlite3 = "${libdir}/libsqlite3.so.*"
FILES:util-linux-libblkid = "${libdir}/libblkid.so.*"
FILES:libgpiod = "${libdir}/libgpiod.so.*"
FILES:glibc = "${base_libdir}/libc.so.* ${base_libdir}/libm.so.* ${base_libdir}/ld-*.so.*"
FILES:${PN} = "/"

INHIBIT_PACKAGE_STRIP = "1"
INHIBIT_SYSROOT_STRIP = "1"
INHIBIT_PACKAGE_DEBUG_SPLIT = "1"
do_package_qa[noexec] = "1"
