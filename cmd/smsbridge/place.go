package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"syscall"

	"smsbridge/cmd/smsbridge/socket"
	"smsbridge/internal/settings"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// This file is about what serve needs of the machine that it starts on. What serve does with an
// address, a file or a socket, check only looks at, by the same code.

// listenAddr is one at which serve listens for requests.
type listenAddr struct {
	at      string
	whose   string // who else than the providers calls there, such as " for operators"
	setting string // as hints name it
}

func hallAddress(s tenant.Settings) listenAddr {
	return listenAddr{at: s.Addr, setting: "SMSBRIDGE_ADDR (addr)"}
}

func flowrouteAddress(t *tenant.Tenant) listenAddr {
	return listenAddr{t.Doors.Flowroute.Addr, " for tenant " + t.Slug,
		"SMSBRIDGE_FLOWROUTE_ADDR (flowroute_door.addr)"}
}

func operatorAddress(s tenant.Settings) listenAddr {
	return listenAddr{s.Operator.Addr, " for operators", "SMSBRIDGE_OPERATOR_ADDR (operator_addr)"}
}

func watchAddress(s tenant.Settings) listenAddr {
	return listenAddr{at: s.MetricsAddr, setting: "SMSBRIDGE_METRICS_ADDR (metrics_addr)"}
}

// listen listens there. What failed, explain explains.
func (a listenAddr) listen() (net.Listener, error) { return net.Listen("tcp", a.at) }

func (a listenAddr) explain(err error) mistake {
	return mistake{"cannot listen on " + a.at + a.whose + ": " + reason(err),
		listenHint(err, a.setting)}
}

// look listens there for a moment, unless that would ask a name server.
func (a listenAddr) look() error {
	host, _, _ := net.SplitHostPort(a.at)
	_, isName := netip.ParseAddr(host)
	if a.at == "" || isName != nil && host != "" && host != "localhost" {
		return nil
	}
	listener, err := a.listen()
	if err != nil {
		return err
	}
	return listener.Close()
}

// socketMistake is that serve cannot make the socket which the settings choose.
func socketMistake(path string, err error) mistake {
	return mistake{"cannot make the socket " + path + ": " + reason(err),
		"set SMSBRIDGE_SOCKET (socket) to a path in a folder of the bridge's own, or to off"}
}

// judgePlace finds what keeps serve from starting on this machine, as this user, with settings that
// are right in themselves. It changes nothing, and speaks to no other machine. Busy is what a
// running bridge may be using: that is no mistake.
func judgePlace(ctx context.Context, s tenant.Settings) (busy []string, err error) {
	var found settings.Mistakes
	add := func(where string, m mistake) {
		found = append(found, settings.Mistake{Where: where, What: m.what, Hint: m.hint})
	}
	if err := judgeFiles(s); err != nil {
		add(databaseSetting, asMistake(err, databaseSetting+" names the file"))
	}
	all := []listenAddr{hallAddress(s), operatorAddress(s), watchAddress(s)}
	for _, t := range s.Tenants.All() {
		all = append(all, flowrouteAddress(t))
	}
	for _, a := range all {
		switch err := a.look(); {
		case errors.Is(err, syscall.EADDRINUSE):
			busy = append(busy, a.at)
		case err != nil:
			add(a.setting, a.explain(err))
		}
	}
	if path, chosen := s.CommandSocket(); path != "" {
		err := socket.Look(ctx, path)
		if err == nil {
			err = store.MayMake(filepath.Dir(path))
		}
		switch {
		case errors.Is(err, socket.ErrInUse):
			busy = append(busy, path)
		case err != nil && chosen:
			add("SMSBRIDGE_SOCKET (socket)", socketMistake(path, err))
		}
	}
	if len(found) > 0 {
		return nil, found
	}
	return busy, nil
}

// judgeFiles finds what is wrong with the files of a SQLite database.
func judgeFiles(s tenant.Settings) error {
	options, err := storeOptions(s)
	if err != nil {
		return err
	}
	return explainDatabase(store.Look(options))
}

// asMistake is an error as a mistake, with its own hint where it has one.
func asMistake(err error, hint string) mistake {
	var f failure
	if errors.As(err, &f) {
		hint = f.hint
	}
	return mistake{oneLine(err), hint}
}

// busyWarning says that serve would not start now.
func busyWarning(busy []string) string {
	return "in use already, perhaps by the running bridge: " + strings.Join(busy, ", ") +
		"; serve does not start beside it"
}
