#!/usr/bin/env bash
# The one test command of smsbridge. Run it with --help to learn what it does.
set -euo pipefail

staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2

usage() {
	cat <<'END'
Usage: ./test.sh

Runs every check of the project, cheapest first, and stops at the first that fails:

  build, gofmt, go vet, staticcheck,
  go test -shuffle=on (what computes or plays step by step, and what large input costs),
  go test -race -shuffle=on ./... (rules, workers and stories on SQLite and on PostgreSQL),
  smsbridge demo --once

It brings up what the tests need and takes it down again:

  PostgreSQL  the server in SMSBRIDGE_TEST_POSTGRES, a postgres:// URL whose user may create
              databases (one, smsbridge_template_…, stays there for the next run);
              otherwise a throw-away cluster on 127.0.0.1 from an installed server;
              otherwise, as root on Debian, apt-get installs one first
  Chromium    the program in SMSBRIDGE_TEST_CHROMIUM;
              otherwise chromium-headless-shell on the PATH, which is the quickest,
              or chromium or google-chrome;
              otherwise, as root on Debian, apt-get installs the first
  Node.js     node and npm on the PATH; otherwise, as root on Debian, apt-get installs them first;
              npm installs the packages of internal/nodetest once into ~/.cache/smsbridge-test,
              where the tests keep a migrated SQLite file, too

  promtool    the program in SMSBRIDGE_TEST_PROMTOOL, or promtool on the PATH; otherwise, as root on
              Debian, the one of the package prometheus, which is unpacked and not installed

Without one of them its suites are skipped, and said to be. With CI=true or
SMSBRIDGE_TEST_STRICT=1 that, or any other skipped test, is a failure.

What the tests write is in /dev/shm, which is memory, if 2 GB are free there, and else in /tmp.

Needed: Go as in go.mod, a C compiler (for the race detector), bash, awk, timeout. Takes no
arguments. For a quick look at one package: go test ./linkclick/... Without any service, network,
race detector or long test: go test ./...
END
}

case "${1-}" in
'') ;;
-h | --help) usage && exit 0 ;;
*) usage >&2 && exit 2 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")"

# One stream from here on, so that a log has times, results and complaints in their order.
exec 2>&1

strict=
if [[ ${CI-} == true || ${SMSBRIDGE_TEST_STRICT-} == 1 ]]; then strict=1; fi
unset SMSBRIDGE_TEST_STRICT
export SMSBRIDGE_TEST_LONG=1

# Settings of a real bridge in the caller's shell must not reach a test: it would call a provider.
for name in ${!SMSBRIDGE_*} ${!MAILGUN_*} ${!TWILIO_*} ${!AUTH0_*} ${!FLOWROUTE_*}; do
	[[ $name == SMSBRIDGE_TEST_* ]] || unset "$name"
done

# All but the race detector is built as the program is shipped.
export CGO_ENABLED=0

# In a checkout that another user owns, git refuses to name its revision, and every build fails.
export GOFLAGS="${GOFLAGS-} -buildvcs=false"

say() { printf '\n==> %s\n' "$*"; }
die() { printf 'error: %s\n' "$1" >&2 && printf 'hint: %s\n' "${@:2}" >&2 && exit 1; }

# step NAME COMMAND… runs the command and keeps its wall-clock time for the summary.
timings=()
step() {
	local name=$1 began=$SECONDS
	shift
	say "$name"
	local TIMEFORMAT="    ${name}: %1lR (user %1lU, system %1lS)"
	time "$@"
	timings+=("$(printf '%5d s  %s' $((SECONDS - began)) "$name")")
}

# free_in prints how many kB are free where a folder is.
free_in() { df -k --output=avail "$1" 2>/dev/null | tail -n 1; }

# in_memory prints a folder in memory that has 2 GB left and runs programs. The tests sync their
# databases to disk thousands of times. They kill bridges and never the machine, so memory keeps
# all that they may lose.
in_memory() {
	local folder left
	folder=$(mktemp -d /dev/shm/smsbridge-test.XXXXXX 2>/dev/null) || return 1
	left=$(free_in "$folder")
	printf '#!/bin/sh\n' >"$folder/program"
	chmod 700 "$folder/program"
	if ((left >= 2000000)) && "$folder/program" 2>/dev/null; then
		echo "$folder"
	else
		rm -rf "$folder"
		return 1
	fi
}

# Everything temporary is below one folder that a server under another user may pass through. It is
# in /dev/shm or /tmp and not in TMPDIR: a unix socket's path is limited to about 100 bytes.
tmp=$(in_memory) || tmp=$(mktemp -d /tmp/smsbridge-test.XXXXXX)
chmod 711 "$tmp"

progress= # the process that reports it
cleanup() {
	local code=$?
	trap - EXIT
	if [[ -n $progress ]]; then kill "$progress" || true; fi
	if [[ -f $tmp/cluster/postmaster.pid ]]; then
		as_postgres "$bindir/pg_ctl" -D "$tmp/cluster" -m immediate stop >/dev/null || true
	fi
	rm -rf "$tmp"
	if ((code != 0)); then printf '\nFAILED\n' >&2; fi
	exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# install PACKAGE… succeeds only when the Debian packages are on the machine afterwards.
updated=
install() {
	[[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 1
	export DEBIAN_FRONTEND=noninteractive
	if [[ -z $updated ]]; then apt-get update -qq || return 1; fi
	updated=1
	apt-get install -y -qq --no-install-recommends "$@" </dev/null >"$tmp/apt.log" 2>&1 ||
		{ cat "$tmp/apt.log" && return 1; }
}

# find_server prints a folder that holds a PostgreSQL server's programs.
find_server() {
	local dir
	while read -r dir; do
		if [[ -x $dir/initdb && -x $dir/postgres && -x $dir/pg_ctl ]]; then echo "$dir" && return; fi
	done < <(
		pg_config --bindir 2>/dev/null
		printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV
		dirname "$(command -v initdb)" 2>/dev/null
	)
	return 1
}

# as_postgres runs a command as a user that PostgreSQL accepts: it refuses root.
as_postgres() {
	if [[ $(id -u) == 0 ]]; then
		setpriv --reuid="$pguser" --regid="$(id -g "$pguser")" --clear-groups -- "$@"
	else
		"$@"
	fi
}

start_postgres() {
	pguser=$(id -un)
	if [[ $(id -u) == 0 ]]; then pguser=$(id -un postgres 2>/dev/null || echo nobody); fi
	mkdir -m 700 "$tmp/cluster"
	chown "$pguser" "$tmp/cluster"
	# Most servers sort as a language does, and not by bytes. initdb knows that from PostgreSQL 15 on.
	local order=(--locale=C)
	if "$bindir/initdb" --help | grep -q -e --icu-locale; then
		order=(--locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US)
	fi
	(cd "$tmp" && as_postgres "$bindir/initdb" -D "$tmp/cluster" -U smsbridge --auth=trust \
		"${order[@]}" --encoding=UTF8 --no-sync) >"$tmp/initdb.log" ||
		{ cat "$tmp/initdb.log" && return 1; }
	# The tests kill bridges, never this server or the machine. What a server must do to survive
	# that only costs time here.
	cat >>"$tmp/cluster/postgresql.conf" <<-END
		listen_addresses = '127.0.0.1'
		unix_socket_directories = '$tmp/cluster'
		max_connections = 200
		fsync = off
		synchronous_commit = off
		full_page_writes = off
		autovacuum = off
		jit = off
	END
	# PostgreSQL cannot choose a free port by itself: a taken port makes it stop, and the next is
	# tried. The stories use ports from 21000 to 30999.
	local port
	for _ in 1 2 3 4 5 6; do
		port=$((11000 + RANDOM % 10000))
		if (cd "$tmp" && as_postgres "$bindir/pg_ctl" -D "$tmp/cluster" -o "-p $port" \
			-l "$tmp/cluster/log" -w start) >"$tmp/pg_ctl.log"; then
			# A loaded machine may take long to let a test in.
			local query="sslmode=disable&connect_timeout=60"
			export SMSBRIDGE_TEST_POSTGRES="postgres://smsbridge@127.0.0.1:$port/postgres?$query"
			return
		fi
	done
	cat "$tmp/pg_ctl.log" "$tmp/cluster/log"
	return 1
}

missing=()
bring_up_postgres() {
	if [[ -n ${SMSBRIDGE_TEST_POSTGRES-} ]]; then
		echo "PostgreSQL: the server in SMSBRIDGE_TEST_POSTGRES"
	elif ! bindir=$(find_server) && ! { install postgresql && bindir=$(find_server); }; then
		missing+=("no PostgreSQL server: its suites are skipped (set SMSBRIDGE_TEST_POSTGRES)")
	elif start_postgres; then
		echo "PostgreSQL: a throw-away cluster of $("$bindir/postgres" --version)"
	else
		missing+=("PostgreSQL in $bindir does not start (see above): its suites are skipped")
	fi
}

find_chromium() {
	command -v chromium-headless-shell || command -v chromium || command -v chromium-browser ||
		command -v google-chrome || command -v google-chrome-stable
}

bring_up_chromium() {
	if [[ -z ${SMSBRIDGE_TEST_CHROMIUM-} ]] && ! SMSBRIDGE_TEST_CHROMIUM=$(find_chromium) &&
		! { { install chromium-headless-shell || install chromium; } &&
			SMSBRIDGE_TEST_CHROMIUM=$(find_chromium); }; then
		unset SMSBRIDGE_TEST_CHROMIUM
		missing+=("no Chromium: the browser suites are skipped (set SMSBRIDGE_TEST_CHROMIUM)")
		return
	fi
	export SMSBRIDGE_TEST_CHROMIUM
	echo "Chromium: $SMSBRIDGE_TEST_CHROMIUM"
}

# install_packages has npm install what internal/nodetest names, unless that was done before. The
# folder gets its name when it is complete.
install_packages() {
	local sum folder fresh
	sum=$(sha256sum <internal/nodetest/package-lock.json)
	folder=${XDG_CACHE_HOME:-$HOME/.cache}/smsbridge-test/node-${sum%% *}
	if [[ -d $folder ]]; then return; fi
	echo "npm: installing the packages of internal/nodetest"
	mkdir -p "${folder%/*}"
	fresh=$(mktemp -d "$folder.XXXXXX")
	cp internal/nodetest/package.json internal/nodetest/package-lock.json "$fresh"
	if (cd "$fresh" && npm ci --ignore-scripts --no-audit --no-fund) >"$tmp/npm.log" 2>&1; then
		mv -T "$fresh" "$folder" 2>/dev/null || rm -rf "$fresh" # another run was quicker
	else
		rm -rf "$fresh"
		cat "$tmp/npm.log" && return 1
	fi
}

bring_up_node() {
	if ! { command -v node && command -v npm; } >/dev/null && ! install nodejs npm; then
		missing+=("no Node.js with npm: the suites of Auth0's Actions and the Durable client are skipped")
		return
	fi
	echo "Node.js: $(node --version), npm $(npm --version)"
	if ! install_packages; then
		missing+=("npm cannot install its packages (see above): the suites that need Node.js are skipped")
	fi
}

# Installing the package would start a server.
unpack_promtool() {
	((EUID == 0)) && command -v apt-get dpkg >/dev/null || return 1
	if [[ -z $updated ]]; then apt-get update -qq || return 1; fi
	updated=1
	mkdir -p "$tmp/promtool"
	(cd "$tmp/promtool" && apt-get -q download prometheus && dpkg -x prometheus_*.deb .) \
		>"$tmp/promtool.log" 2>&1 || return 1
	SMSBRIDGE_TEST_PROMTOOL=$tmp/promtool/usr/bin/promtool
}
bring_up_promtool() {
	if [[ -z ${SMSBRIDGE_TEST_PROMTOOL-} ]] &&
		! SMSBRIDGE_TEST_PROMTOOL=$(command -v promtool) && ! unpack_promtool; then
		unset SMSBRIDGE_TEST_PROMTOOL
		missing+=("no promtool: the alerts are not checked with it (set SMSBRIDGE_TEST_PROMTOOL)")
		return
	fi
	export SMSBRIDGE_TEST_PROMTOOL
	echo "promtool: $SMSBRIDGE_TEST_PROMTOOL"
}

say_missing() {
	((${#missing[@]} > 0)) || return 0
	local line
	for line in "${missing[@]}"; do printf '    SKIPPING: %s\n' "$line"; done
}

# check_space ends the run where the compiler and the linker would end it later, without a remedy.
check_space() {
	local folder left
	for folder in "${TMPDIR:-/tmp}" "$(go env GOCACHE)"; do
		mkdir -p "$folder"
		left=$(free_in "$folder") || continue
		((left >= 3000000)) ||
			die "only $((left / 1000)) MB are free for $folder, and 3 GB may be needed" \
				"go clean -cache removes what was compiled before"
	done
}

bring_up() {
	check_space
	bring_up_postgres
	bring_up_chromium
	bring_up_node
	bring_up_promtool
	say_missing
	if ((${#missing[@]} == 0)); then export SMSBRIDGE_TEST_STRICT=1; fi
	if [[ -n $strict ]] && ((${#missing[@]} > 0)); then
		die "nothing may be skipped with CI=true or SMSBRIDGE_TEST_STRICT=1" \
			"install what is missing, or unset the variable"
	fi
}

check_format() {
	local files
	files=$(gofmt -l .)
	[[ -z $files ]] || die "not formatted: ${files//$'\n'/ }" "gofmt -w ."
}

# The race detector leaves out two. One is SQLite itself: C that was translated to Go, which keeps
# its memory outside of Go's. Watching it takes most of the time of the tests and finds nothing of
# ours. The other is the cipher behind the hash of a password, which is slow by design and works in
# memory of its own. SQLite's driver, and every other package, is watched.
race=(-race)
for package in modernc.org/libc/... modernc.org/memory/... modernc.org/sqlite/lib \
	golang.org/x/crypto/blowfish; do
	race+=("-gcflags=$package=-race=false")
done

# report_progress says now and then how far the tests are, until it is killed.
report_progress() {
	local all began=$SECONDS
	all=$(go list ./... | wc -l)
	while sleep 30 >/dev/null 2>&1; do # without our output, which a reader would wait for
		printf '    … %d s: %d of %d packages are through\n' $((SECONDS - began)) \
			"$(grep -cE '^(ok  |FAIL|\?   )'$'\t' "$tmp/tests.log")" "$all"
	done
}

# go_test LOG ARGUMENT… runs go test. It shows the result line of a package that passes and the
# whole story of one that fails. It asks for everything (-v) all the same: a skipped test is seen in
# no other way. go vet has run before. A linker without debug information (-s) is quicker, and stack
# traces need none. Tests wait for PostgreSQL, browsers and bridges: twice as many as cores keep
# them busy.
go_test() {
	local log=$1 twice=$((2 * $(nproc)))
	mkdir -m 700 -p "$tmp/tests"
	GOTMPDIR=${TMPDIR:-/tmp} TMPDIR=$tmp/tests go test -vet=off -ldflags=-s -p="$twice" \
		-parallel="$twice" -shuffle=on -timeout=15m -v "${@:2}" 2>&1 |
		tee "$log" | awk '
		/^=== (RUN|PAUSE|CONT) / || /^ *--- PASS: / { next }
		/^(ok  |\?   )\t/ || /^\t.*coverage: / { print; fflush(); held = ""; next }
		/^FAIL/          { printf "%s%s\n", held, $0; fflush(); held = ""; next }
		                 { held = held $0 "\n" }
		END              { printf "%s", held }'
}

# tests_with prints the files of tests that have the line.
tests_with() { grep -rlx --include='*_test.go' -e "$1" .; }

# one_of makes a pattern of the names of tests that it reads.
one_of() { printf '^(%s)$' "$(paste -sd '|')"; }

# unwatched prints the names of tests that the race detector does not watch here. They compute, or
# play one step after the other, and watched they would take three times as long. Tests beside them
# run the same code watched.
unwatched() {
	tests_with '//test:unwatched' | xargs awk '$0 == "//test:unwatched" { next_one = 1; next }
		next_one { split($2, name, "("); print name[1]; next_one = 0 }'
}

# run_unwatched runs them. It also runs the tests in files that begin with "//go:build !race". They
# measure what large input costs in the program as it is shipped, which cannot be watched. Or they
# are of a package that only computes, and no second program is linked for them.
run_unwatched() {
	local names folders
	names=$({
		unwatched
		tests_with '//go:build !race' |
			xargs sed -nE 's/^func ((Test|Fuzz|Example)[A-Za-z0-9_]+)\(.*/\1/p'
	} | one_of)
	mapfile -t folders < <({ tests_with '//test:unwatched' && tests_with '//go:build !race'; } |
		xargs dirname | sort -u)
	go_test "$tmp/unwatched.log" -run "$names" "${folders[@]}"
}

run_tests() {
	echo "    a line for each package that is through; the first take longest, to compile and to play"
	: >"$tmp/tests.log"
	report_progress &
	progress=$!
	local code=0
	CGO_ENABLED=1 go_test "$tmp/tests.log" "${race[@]}" -skip "$(unwatched | one_of)" ./... || code=$?
	kill "$progress"
	progress=
	return "$code"
}

judge_skips() {
	grep -hE '^ *--- SKIP: ' "$tmp/unwatched.log" "$tmp/tests.log" >"$tmp/skipped" || return 0
	say "skipped tests"
	cat "$tmp/skipped"
	[[ -z $strict ]] || die "skipped tests" "each of them must run here, or not exist"
}

run_demo() {
	if [[ ! -d cmd/smsbridge ]]; then echo "there is no cmd/smsbridge yet" && return; fi
	go build -o "$tmp/smsbridge" ./cmd/smsbridge
	timeout 180 "$tmp/smsbridge" demo --once
}

command -v go >/dev/null ||
	die "go is not on the PATH" "https://go.dev/doc/install; the version is in go.mod"
command -v "${CC:-cc}" >/dev/null ||
	die "no C compiler, and the race detector needs one" "apt-get install gcc, or set CC"

step "what the tests need" bring_up
step "build" go build ./...
step "gofmt" check_format
step "go vet" go vet ./...
step "staticcheck" go run "$staticcheck" ./...
step "go test -shuffle=on, what is not watched" run_unwatched
step "go test -race -shuffle=on" run_tests
judge_skips
step "smsbridge demo --once" run_demo

say "everything passed in $SECONDS s"
printf '%s\n' "${timings[@]}"
say_missing
