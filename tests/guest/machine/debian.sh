# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced by fetch and kernel: packages of Debian 13, whatever the host runs, in a cache folder.
#
# Packages are downloaded with apt in directories of its own, so signatures are checked and the
# host's package state is neither read nor written, and unpacked without running any of their
# scripts.

say() {
	printf 'guest/%s: %s\n' "${0##*/}" "$1" >&2
}

# The Debian mirror that the host itself uses, so that what reaches one reaches the other.
mirror() {
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' \
		2>/dev/null | head -n 1
}

keyring() {
	for key in /usr/share/keyrings/debian-archive-keyring.gpg \
		/usr/share/keyrings/debian-archive-keyring.pgp; do
		[ -e "$key" ] && echo "$key" && return
	done
	say 'no Debian archive keyring (package debian-archive-keyring)'
	return 1
}

# Directories of our own for everything that apt reads and writes; the host's proxy stays.
configure() {
	uri=$(mirror)
	cat > "$1/sources.list" <<-END
		deb [arch=amd64 signed-by=$(keyring)] ${uri:-http://deb.debian.org/debian} trixie main
	END
	mkdir -p "$1/lists/partial" "$1/cache/archives/partial" "$1/parts"
	: > "$1/status"
	apt-config dump | grep -E '^Acquire::(https?|ftp)::' > "$1/apt.conf" || :
	cat >> "$1/apt.conf" <<-END
		Dir::State "$1";
		Dir::State::status "$1/status";
		Dir::Cache "$1/cache";
		Dir::Etc::main "/dev/null";
		Dir::Etc::parts "$1/parts";
		Dir::Etc::sourcelist "$1/sources.list";
		Dir::Etc::sourceparts "$1/parts";
		Dir::Etc::preferencesparts "$1/parts";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; };
		APT::Install-Recommends "false";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Retries "3";
	END
}

# unpack DIR PACKAGE...: the packages, with all that they depend on, in DIR/root.
unpack() {
	dir=$1
	shift
	mkdir "$dir/apt" "$dir/root"
	configure "$dir/apt"
	export APT_CONFIG="$dir/apt/apt.conf"
	apt-get -qq update >&2
	apt-get -qq --yes --download-only install "$@" >&2
	say 'unpacking'
	for deb in "$dir"/apt/cache/archives/*.deb; do
		dpkg-deb -x "$deb" "$dir/root"
	done
	rm -r "$dir/apt"
}

# cached NAME MAKE FILE...: prints a folder of the cache, which `MAKE FOLDER` fills the first time.
# Its name holds a hash of this file and of those given: a changed list is a new folder. It appears
# by a rename, whole or not at all, and is never written again.
cached() {
	cache=${XDG_CACHE_HOME:-${HOME:-}/.cache}/fwadmit
	name=$1
	make=$2
	shift 2
	final=$cache/$name-$(cat "$here/debian.sh" "$@" | sha256sum | cut -c 1-12)
	if [ ! -d "$final" ]; then
		if ! mkdir -p "$cache" 2>/dev/null || [ ! -w "$cache" ]; then
			say "cannot write to $cache; set XDG_CACHE_HOME to a folder of yours"
			exit 1
		fi
		new=$(mktemp -d "$cache/new.XXXXXX")
		trap 'rm -rf "$new"' EXIT
		trap 'exit 1' HUP INT TERM
		"$make" "$new"
		chmod 755 "$new"
		mv -T "$new" "$final" 2>/dev/null || [ -d "$final" ] # another one may have been faster
	fi
	echo "$final"
}
