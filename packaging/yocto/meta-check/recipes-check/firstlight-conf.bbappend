# A machine's own configuration, as docs/yocto.md tells to make it.
FILESEXTRAPATHS:prepend := "${THISDIR}/files:"
