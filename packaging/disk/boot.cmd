# What U-Boot runs from the boot partition: it chooses a slot, counts how often it has booted one that is on trial, and boots it. It does what
# CONFIG_BOOTCOUNT_ENV and `altbootcmd` do where a board's own U-Boot has them; Debian's, which this is for, has not.
#
#   slot               A or B
#   upgrade_available  1 while the slot is on trial: the updater sets it, Linux clears it once all is well
#   bootcount          how often the slot on trial was booted
#   bootlimit          how often it may be, at most 9 times; then the other slot is booted again
#   ustate             SWUpdate's: 1 installed becomes 3 failed when the slot is given up
#
# A board's own variables go into the list `names`: what is not in it is lost when a boot is counted.
#
# They are in the partition `env`, in two copies as CONFIG_SYS_REDUNDAND_ENVIRONMENT has them and libubootenv's fw_setenv reads and writes
# them: CRC-32, one byte that counts the changes, then NAME=VALUE with zeros between. A change is written over the older copy. Power that
# goes in the middle leaves a copy with a wrong checksum, and the other one holds: as if the change had not been begun. They are 4 MiB apart,
# so that a card which loses a whole erase block with its power does not lose both.

setenv names slot upgrade_available bootcount bootlimit ustate
setenv copy_size 4000
setexpr sectors ${copy_size} / 200
${devtype} dev ${devnum}
part start ${devtype} ${devnum} env copy1
setexpr copy2 ${copy1} + 2000

# A copy in RAM: as it is on the disk, and without the counting byte, which a U-Boot without redundant copies does not know.
setenv raw 48000000
setexpr raw_count ${raw} + 4
setexpr raw_data ${raw} + 5
setenv plain 48100000
setexpr plain_data ${plain} + 4
setexpr plain_size ${copy_size} - 1
setexpr data_size ${copy_size} - 5

# Takes the variables from ${copy}, if its checksum is right.
setenv read_copy '
	${devtype} read ${raw} ${copy} ${sectors} &&
		cp.b ${raw} ${plain} 4 && cp.b ${raw_data} ${plain_data} ${data_size} &&
		env import -c ${plain} ${plain_size} ${names} && setexpr.b count *${raw_count}'

# Writes the variables over ${older}, which becomes the newer copy, or, where the card cannot write there, over the other one. Of the count the
# lowest byte is written: behind 255 comes 0. It is read back: a worn card may say that it has written, and has not.
setenv save '
	setexpr newest_count ${newest_count} + 1
	env export -c -s ${plain_size} ${plain} ${names}
	cp.b ${plain} ${raw} 4
	mw.b ${raw_count} ${newest_count} 1
	cp.b ${plain_data} ${raw_data} ${data_size}
	setenv saved no
	for place in ${older} ${newest}; do
		if test ${saved} = no && ${devtype} write ${raw} ${place} ${sectors} &&
			${devtype} read ${plain} ${place} ${sectors} && cmp.b ${raw} ${plain} ${copy_size}; then
			setenv saved yes
			if test ${place} = ${older}; then
				setenv older ${newest}
				setenv newest ${place}
			fi
		fi
	done
	if test ${saved} = no; then echo the environment cannot be written; fi'

# For this boot only, unless it is saved.
setenv other_slot 'if test "${slot}" = B; then setenv slot A; else setenv slot B; fi'

setenv give_up '
	run other_slot
	if test "${ustate}" = 1; then setenv ustate 3; fi
	setenv upgrade_available 0
	setenv bootcount 0
	run save'

# Comes back only when the slot has nothing that could be started.
setenv boot_slot '
	if test "${slot}" = B; then setenv label root-b; else setenv label root-a; fi
	echo booting slot ${slot}
	part number ${devtype} ${devnum} ${label} number
	part uuid ${devtype} ${devnum}:${number} uuid
	setenv bootargs console=ttyAMA0 quiet panic=5 root=PARTUUID=${uuid} ro rootwait slot=${slot}
	load ${devtype} ${devnum}:${number} ${kernel_addr_r} /boot/Image &&
		load ${devtype} ${devnum}:${number} 43f00000 /boot/board.dtb &&
		load ${devtype} ${devnum}:${number} ${ramdisk_addr_r} /boot/initramfs.cpio.gz &&
		booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} 43f00000
	echo slot ${slot} cannot be booted'

setenv newest
for place in ${copy1} ${copy2}; do
	setenv copy ${place}
	if run read_copy; then
		setenv newer no
		# The counting byte goes round: 0 is newer than 255.
		if test -z "${newest}"; then setenv newer yes
		elif test 0x${newest_count} -eq 255 && test 0x${count} -eq 0; then setenv newer yes
		elif test 0x${newest_count} -eq 0 && test 0x${count} -eq 255; then setenv newer no
		elif test 0x${count} -gt 0x${newest_count}; then setenv newer yes; fi
		if test ${newer} = yes; then
			setenv newest ${copy}
			setenv newest_count ${count}
		fi
	fi
done
if test -n "${newest}"; then
	setenv copy ${newest}
	run read_copy
else
	# Which slot was good nobody knows any more: A has to show that it is.
	echo the environment is lost: slot A
	setenv slot A
	setenv upgrade_available 1
	setenv bootcount 0
	setenv bootlimit 2
	setenv ustate 0
	setenv newest_count 0
	setenv newest ${copy2}
fi
if test "${newest}" = "${copy1}"; then setenv older ${copy2}; else setenv older ${copy1}; fi

if test "${upgrade_available}" = 1; then
	setexpr bootcount ${bootcount} + 1
	if test 0x${bootcount} -gt 0x${bootlimit}; then
		echo slot ${slot} had its ${bootlimit} boots and was not marked good
		run give_up
	else
		run save
		if test ${saved} = yes; then
			echo slot ${slot} is on trial: boot ${bootcount} of ${bootlimit}
		else
			# A trial that is not counted would never end.
			echo slot ${slot} is not tried: its boots cannot be counted
			run other_slot
			setenv upgrade_available 0
		fi
	fi
fi

run boot_slot
# A slot that was good is tried again at the next boot: one read error must not take it away for ever.
if test "${upgrade_available}" = 1; then run give_up; else run other_slot; fi
run boot_slot
echo neither slot can be booted
sleep 10
reset
