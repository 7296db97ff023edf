# Shared by the scripts beside it: sourced, never run. Every script works from the repository's root.
# shellcheck shell=bash

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p build/cache build/log

say() { printf '==> %s\n' "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# usage TEXT: for a command line that cannot be meant; or that asks for it.
usage() {
	if [ "$asked" = yes ]; then
		printf 'usage: %s\n' "$1"
		exit
	fi
	printf 'usage: %s\n' "$1" >&2
	exit 2
}
# The arguments of whoever sources this.
asked=no
case " $* " in *" --help "* | *" -h "*) asked=yes ;; esac

# quietly NAME COMMAND…: keeps the output in build/log/NAME.log and shows its end only when the command fails.
quietly() {
	local log=$PWD/build/log/$1.log status=0
	shift
	"$@" >"$log" 2>&1 || status=$?
	[ "$status" -eq 0 ] && return
	tail -n 40 "$log" >&2
	die "$1 failed with exit $status; its whole output is in $log"
}

# The suite of this machine, as far as it is one of ours: what is built for it runs here.
host_suite() {
	local VERSION_CODENAME=
	# shellcheck source=/dev/null
	[ -r /etc/os-release ] && . /etc/os-release
	case $VERSION_CODENAME in
		bookworm | trixie) echo "$VERSION_CODENAME" ;;
		*) echo bookworm ;;
	esac
}

# Where the Swift installation has its lib/swift: of the swiftc that is first in PATH.
swift_home() {
	local home
	command -v swiftc >/dev/null || die "no swiftc in PATH; Swift 6.3 or newer is needed (https://swift.org/install)"
	# Asked, not guessed from the path: swiftly's swiftc is a proxy, a distribution's a symbolic link.
	home=$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)\/lib\/swift".*/\1/p')
	[ -d "$home/lib/swift/embedded" ] || die "the Swift in PATH has no Embedded Swift in $home/lib/swift/embedded"
	echo "$home"
}

# debian_source SUITE: where this machine gets Debian from, asked for another suite. The mirror, its key and every other
# option stay as they are here; updates, security and foreign sources are left out.
debian_source() {
	local list parts file
	eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
	for file in "$parts"/*.sources "$list" "$parts"/*.list; do
		[ -r "$file" ] || continue
		# One "deb [options] uri suite components" becomes a stanza like the newer format's.
		case $file in
			*.sources) cat "$file" ;;
			*) sed -nE \
				-e 's/^deb[ \t]+\[([^]]*)\][ \t]+/deb \1 /' \
				-e 's/^deb[ \t]+//; t deb' -e 'd' -e ':deb' \
				-e 's/(^|[ \t])arch[+-]?=[^ \t]*//g' \
				-e 's/(^|[ \t])signed-by=([^ \t]*)/\nSigned-By: \2\n/' \
				-e 's/(^|[ \t])trusted=([^ \t]*)/\nTrusted: \2\n/' \
				-e 's/[ \t]*([a-z+]+:[^ \t\n]+)[ \t]+([^ \t]+)[ \t].*$/\nTypes: deb\nURIs: \1\nSuites: \2/' \
				-e 's/\n[ \t\n]*/\n/g; s/^\n//; s/$/\n/p' "$file" ;;
		esac
		echo
	done | awk -v suite="$1" '
		function finish() {
			# To the end of its input, or who writes it would die of SIGPIPE.
			if (types ~ /(^|[ \t])deb([ \t]|$)/ && debian && !disabled && !found++) {
				print "Types: deb\nSuites: " suite "\nComponents: main\n" rest
			}
			types = rest = field = ""; debian = disabled = 0
		}
		/^#/ { next }
		/^[ \t]*$/ { finish(); next }
		/^[^ \t]/ { field = tolower($1) }
		field == "types:" { types = types " " $0; next }
		field == "suites:" {
			for (i = 1; i <= NF; i++) if ($i ~ /^(bookworm|trixie|forky|sid|(old)*stable|testing|unstable)$/) debian = 1
			next
		}
		field == "enabled:" { disabled = (tolower($2) == "no"); next }
		field == "components:" || field == "architectures:" { next }
		{ rest = rest $0 "\n" }'
}

# private_apt ARCH|source SUITE: an apt of our own, in $APT, for another architecture and suite. It inherits this machine's proxies
# and keys and shares no state with it, so nothing here changes what is installed or known.
private_apt() {
	local architecture
	case $1 in
		aarch64) architecture=arm64 ;;
		armv7) architecture=armhf ;;
		x86_64) architecture=amd64 ;;
		source) architecture=$(dpkg --print-architecture) ;;
	esac
	APT=$PWD/build/cache/apt-$1-$2
	mkdir -p "$APT"/{lists/partial,archives/partial,debs}
	debian_source "$2" >"$APT/debian.sources"
	[ -s "$APT/debian.sources" ] || die "apt on this machine has no source of Debian that $2 could be taken from"
	[ "$1" != source ] || sed -i 's/^Types: deb$/Types: deb-src/' "$APT/debian.sources"
	# #clear works only in a file given with -c: this machine's hooks must not run on our state, nor its pins apply.
	cat >"$APT/apt.conf" <<-END
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear APT::Architectures;
		APT::Architecture "$architecture";
		APT::Architectures { "$architecture"; };
		APT::Sandbox::User "$(id -un)";
		Acquire::Languages "none";
		Dir::State::lists "$APT/lists";
		Dir::State::status "/dev/null";
		Dir::Cache "$APT";
		Dir::Etc::sourcelist "$APT/debian.sources";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
	END
	[ -e "$APT/updated" ] || private_apt_update
}

private_apt_update() {
	say "fetching Debian's package lists from $(sed -n 's/^URIs: *//p' "$APT/debian.sources")"
	rm -f "$APT/updated"
	quietly apt-update apt-get -c "$APT/apt.conf" -o APT::Update::Error-Mode=any update
	touch "$APT/updated"
}

# unpack_packages FOLDER PACKAGE…: downloads what is not there yet and unpacks all of it into a new FOLDER, which has one tree
# with /usr, as Debian 13 and Buildroot have it; Debian 12's packages still have both.
unpack_packages() {
	local folder=$1 deb
	shift
	mkdir -p "$folder"/usr/{bin,lib,lib64,sbin}
	ln -s usr/{bin,lib,lib64,sbin} "$folder/"
	# The mirror may have moved on since the lists were fetched: ask once more before giving up.
	if ! download_packages "$@" >build/log/apt-download.log 2>&1; then
		private_apt_update
		quietly apt-download download_packages "$@"
	fi
	for deb in $(apt-get -c "$APT/apt.conf" download --print-uris "$@" | awk '{ print $2 }'); do
		# Not dpkg-deb -x, which puts a folder in the place of such a link.
		dpkg-deb --fsys-tarfile "$APT/debs/$deb" | tar -x -C "$folder" --keep-directory-symlink
	done
}

# apt itself compares sizes and hashes with what an earlier run left behind.
download_packages() (cd "$APT/debs" && apt-get -c "$APT/apt.conf" download "$@")

# made_once FOLDER FUNCTION INPUT…: FUNCTION fills FOLDER, again when the script or one of the INPUT files has changed.
made_once() {
	local folder=$1 make=$2 made_from
	shift 2
	made_from=$(cat "scripts/${0##*/}" "$@" | sha256sum)
	[ "$(cat "$folder/made-from" 2>/dev/null)" = "$made_from" ] && return
	rm -rf "$folder"
	"$make" "$folder"
	echo "$made_from" >"$folder/made-from"
}

# pack ROOT FILE: the root filesystem as the kernel unpacks it.
pack() {
	# On the board everything is root's and for all to read, whoever built it under whatever umask.
	chmod -R u=rwX,go=rX "$1"
	(cd "$1" && find . -print0 | sort -z | cpio --quiet -0 -o -H newc -R 0:0) | gzip -n -1 >"$2"
}
