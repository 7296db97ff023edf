################################################################################
#
# firstlight
#
################################################################################

FIRSTLIGHT_VERSION = 1.0.0
# Of Swift's standard library, Apache-2.0 with Swift-exception, there are parts in
# the program: what the exception is for, which asks for no notice of them.
FIRSTLIGHT_LICENSE = Apache-2.0
FIRSTLIGHT_LICENSE_FILES = LICENSE
FIRSTLIGHT_DEPENDENCIES = e2fsprogs sqlite util-linux

# This tree is a folder of Firstlight's repository, and whoever has the one has
# the other: their version is the same by itself.
ifeq ($(call qstrip,$(BR2_PACKAGE_FIRSTLIGHT_TARBALL)),)
FIRSTLIGHT_SITE = $(BR2_EXTERNAL_FIRSTLIGHT_PATH)/../..
FIRSTLIGHT_SITE_METHOD = local
# What the build reads, whatever else somebody has built in that folder; and not
# what an older checkout had, since SwiftPM compiles all that it finds.
FIRSTLIGHT_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS = \
	--delete \
	--include=/Package.swift --include=/LICENSE \
	--include=/Sources --include=/Tests --include=/scripts \
	--include=/docs --include=/rootfs-overlay \
	--include=/packaging --include=/packaging/toolsets \
	--exclude='/packaging/*' --exclude='/*'
else
FIRSTLIGHT_SITE = $(patsubst %/,%,$(dir $(call qstrip,$(BR2_PACKAGE_FIRSTLIGHT_TARBALL))))
FIRSTLIGHT_SOURCE = $(notdir $(call qstrip,$(BR2_PACKAGE_FIRSTLIGHT_TARBALL)))
ifneq ($(BR2_DOWNLOAD_FORCE_CHECK_HASHES),y)
BR_NO_CHECK_HASH_FOR += $(FIRSTLIGHT_SOURCE)
endif
endif

ifeq ($(BR2_PACKAGE_FIRSTLIGHT_GPIO),y)
FIRSTLIGHT_DEPENDENCIES += \
	$(if $(BR2_PACKAGE_LIBGPIOD),libgpiod,libgpiod2)
else
FIRSTLIGHT_BUILD_OPTS += --no-gpio
endif

# clang's names, which are not those of the toolchain's own programs.
FIRSTLIGHT_LIBC = $(if $(BR2_TOOLCHAIN_USES_MUSL),musl,gnu)
ifeq ($(BR2_arm),y)
FIRSTLIGHT_TARGET = armv7-linux-$(FIRSTLIGHT_LIBC)eabihf
else
FIRSTLIGHT_TARGET = $(ARCH)-linux-$(FIRSTLIGHT_LIBC)
endif

FIRSTLIGHT_SWIFT_PATH = $(call qstrip,$(BR2_PACKAGE_FIRSTLIGHT_SWIFT_PATH))
FIRSTLIGHT_SWIFT_WHERE = $(or $(FIRSTLIGHT_SWIFT_PATH),PATH)

ifeq ($(BR2_PACKAGE_FIRSTLIGHT)$(BR_BUILDING),yy)
# Said before the first package is built, not when this one's turn comes.
FIRSTLIGHT_SWIFT_VERSION := $(shell \
	$(addsuffix /,$(FIRSTLIGHT_SWIFT_PATH))swiftc --version 2>/dev/null | \
	sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p')
ifeq ($(FIRSTLIGHT_SWIFT_VERSION),)
$(error firstlight: no swiftc in $(FIRSTLIGHT_SWIFT_WHERE). It is compiled by \
	the build machine's own Swift: install 6.3 or newer \
	(https://swift.org/install), or set BR2_PACKAGE_FIRSTLIGHT_SWIFT_PATH to \
	the folder that has swiftc)
endif
# Of a folder without them the C compiler, and not the copying, would complain.
ifeq ($(FIRSTLIGHT_SITE_METHOD)$(wildcard $(FIRSTLIGHT_SITE)/Package.swift),local)
$(error firstlight: no sources in $(FIRSTLIGHT_SITE): this tree was copied out \
	of its repository. Use it where it is, or set \
	BR2_PACKAGE_FIRSTLIGHT_TARBALL)
endif
# Its LED would stay dark, and its button dead, on a device that is shipped.
ifneq ($(BR2_PACKAGE_FIRSTLIGHT_GPIO),y)
FIRSTLIGHT_CONF = $(lastword $(wildcard $(addsuffix /etc/firstlight.conf, \
	$(call qstrip,$(BR2_ROOTFS_OVERLAY)))))
FIRSTLIGHT_GPIO_LINES := $(if $(FIRSTLIGHT_CONF),$(shell sed -n \
	's/^[[:blank:]]*line[[:blank:]]*=[[:blank:]]*\([^[:blank:]]*\).*/\1/p' \
	$(FIRSTLIGHT_CONF) | grep -v -e '^led:' -e '^key:' -e '^none$$'))
ifneq ($(FIRSTLIGHT_GPIO_LINES),)
$(error firstlight: $(FIRSTLIGHT_CONF) has the GPIO line \
	$(firstword $(FIRSTLIGHT_GPIO_LINES)), and this build can drive none. \
	Enable BR2_PACKAGE_FIRSTLIGHT_GPIO (a toolchain with kernel headers >= 5.10, \
	or BR2_PACKAGE_LIBGPIOD), or use led:NAME and key:NAME)
endif
endif
ifneq ($(firstword $(shell printf '%s\n' 6.3 $(FIRSTLIGHT_SWIFT_VERSION) | sort -V)),6.3)
$(error firstlight: the swiftc in $(FIRSTLIGHT_SWIFT_WHERE) is \
	$(FIRSTLIGHT_SWIFT_VERSION). Install 6.3 or newer \
	(https://swift.org/install), or set BR2_PACKAGE_FIRSTLIGHT_SWIFT_PATH to \
	the folder that has it)
endif
# In Config.in this would be a circle: firstlight selects sqlite.
ifeq ($(BR2_PACKAGE_SQLITE_NO_SYNC),y)
$(error firstlight: a SQLite that never syncs loses databases at a power cut. \
	Disable BR2_PACKAGE_SQLITE_NO_SYNC)
endif
endif

# Unstripped, since Buildroot strips the target directory, or does not where it
# is told so.
define FIRSTLIGHT_BUILD_CMDS
	PATH=$(addsuffix :,$(FIRSTLIGHT_SWIFT_PATH))$(BR_PATH) \
	$(@D)/scripts/cross-build \
		--target $(FIRSTLIGHT_TARGET) \
		--sysroot $(STAGING_DIR) \
		--gcc-install-dir `dirname \`$(TARGET_CC) -print-libgcc-file-name\`` \
		--output $(@D)/output \
		--scratch $(@D)/.build \
		--jobs $(PARALLEL_JOBS) \
		--unstripped \
		$(FIRSTLIGHT_BUILD_OPTS)
endef

# No /etc/firstlight.conf: the reference's drives a line of its own board, which
# is somebody's motor on another. It comes with the project's rootfs overlay.
define FIRSTLIGHT_INSTALL_TARGET_CMDS
	$(INSTALL) -D -m 0755 $(@D)/output/firstlightd \
		$(TARGET_DIR)/usr/sbin/firstlightd
	mkdir -p $(TARGET_DIR)/usr/bin
	ln -sf ../sbin/firstlightd $(TARGET_DIR)/usr/bin/firstlightctl
	$(INSTALL) -D -m 0644 $(@D)/rootfs-overlay/etc/e2fsck.conf \
		$(TARGET_DIR)/etc/e2fsck.conf
	$(foreach page,$(wildcard $(@D)/docs/man/*.[1-8]),\
		$(INSTALL) -D -m 0644 $(page) \
			$(TARGET_DIR)/usr/share/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page))
	)
endef

define FIRSTLIGHT_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(@D)/rootfs-overlay/etc/init.d/S15firstlight \
		$(TARGET_DIR)/etc/init.d/S15firstlight
endef

define FIRSTLIGHT_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0644 $(@D)/rootfs-overlay/usr/lib/systemd/system/firstlight.service \
		$(TARGET_DIR)/usr/lib/systemd/system/firstlight.service
	$(INSTALL) -D -m 0644 $(@D)/rootfs-overlay/usr/lib/systemd/system/firstlight-boot-complete.service \
		$(TARGET_DIR)/usr/lib/systemd/system/firstlight-boot-complete.service
endef

# Who may use the control socket beside root. Members are the project's choice.
define FIRSTLIGHT_USERS
	- - firstlight -1 - - - - Those who may ask the daemon for something.
endef

define FIRSTLIGHT_LINUX_CONFIG_FIXUPS
	$(call KCONFIG_ENABLE_OPT,CONFIG_EXT4_FS)
	$(if $(BR2_PACKAGE_FIRSTLIGHT_F2FS),
		$(call KCONFIG_ENABLE_OPT,CONFIG_F2FS_FS))
	$(call KCONFIG_ENABLE_OPT,CONFIG_TMPFS)
	$(call KCONFIG_ENABLE_OPT,CONFIG_NET)
	$(call KCONFIG_ENABLE_OPT,CONFIG_UNIX)
	$(call KCONFIG_ENABLE_OPT,CONFIG_SECURITY)
	$(call KCONFIG_ENABLE_OPT,CONFIG_SECURITY_LANDLOCK)
	$(call KCONFIG_ENABLE_OPT,CONFIG_EFI_PARTITION)
	$(call KCONFIG_ENABLE_OPT,CONFIG_GPIOLIB)
	$(if $(BR2_PACKAGE_FIRSTLIGHT_GPIO),
		$(call KCONFIG_ENABLE_OPT,CONFIG_GPIO_CDEV),
		$(call KCONFIG_ENABLE_OPT,CONFIG_LEDS_GPIO)
		$(call KCONFIG_ENABLE_OPT,CONFIG_KEYBOARD_GPIO))
	$(call KCONFIG_ENABLE_OPT,CONFIG_NEW_LEDS)
	$(call KCONFIG_ENABLE_OPT,CONFIG_LEDS_CLASS)
	$(call KCONFIG_ENABLE_OPT,CONFIG_LEDS_TRIGGERS)
	$(call KCONFIG_ENABLE_OPT,CONFIG_LEDS_TRIGGER_TIMER)
	$(call KCONFIG_ENABLE_OPT,CONFIG_LEDS_TRIGGER_PATTERN)
	$(call KCONFIG_ENABLE_OPT,CONFIG_INPUT)
	$(call KCONFIG_ENABLE_OPT,CONFIG_INPUT_EVDEV)
	$(if $(BR2_PACKAGE_FIRSTLIGHT_WATCHDOG),
		$(call KCONFIG_ENABLE_OPT,CONFIG_WATCHDOG)
		$(call KCONFIG_ENABLE_OPT,CONFIG_WATCHDOG_NOWAYOUT)
		$(call KCONFIG_ENABLE_OPT,CONFIG_PSTORE)
		$(call KCONFIG_ENABLE_OPT,CONFIG_PSTORE_CONSOLE))
endef

$(eval $(generic-package))

# legal-info copies the sources by a rule of its own, which only leaves out what
# version control has.
firstlight-legal-info: private RSYNC_VCS_EXCLUSIONS += $(FIRSTLIGHT_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS)
