package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"smsbridge/internal/tenant"
)

type operatorCommand struct {
	Hash operatorHash `cmd:"" help:"${operator_hash}"`
}

// The helps are in operatorHelps, since a tag cannot be broken into lines.
type operatorHash struct {
	Name string `arg:"" help:"${operator_name}"`
	Role string `help:"${operator_role}" enum:"see,act" default:"see"`
}

// operatorHelps returns the helps of the commands, arguments and flags, by the names of their tags.
func operatorHelps() kong.Vars {
	return kong.Vars{
		"operator":      "Make entries for those who may log in to the pages for operators.",
		"operator_hash": "Read a password, and print the entry for SMSBRIDGE_OPERATORS (operators).",
		"operator_name": "The name with which the operator logs in.",
		"operator_role": "see looks, and reads masked numbers; act does all that the pages offer.",
	}
}

// Help is shown by smsbridge operator hash --help.
func (operatorHash) Help() string {
	return "The password is read from the terminal, or from standard input when that is none. It " +
		"has at least 12 characters. Only its hash is printed (bcrypt), in a form that no shell " +
		"changes.\n\n" +
		"  $ smsbridge operator hash anna --role act\n" +
		"  anna:act:2a:12:…"
}

// Run prints the entry of an operator.
func (o operatorHash) Run(ctx context.Context, w world) error {
	password, err := o.password(ctx, w)
	if err != nil {
		return err
	}
	entry, wrong := tenant.HashPassword(o.Name, tenant.Role(o.Role), password, tenant.ChosenCost)
	if wrong != nil {
		return mistake{wrong.What, wrong.Hint}
	}
	_, err = fmt.Fprintln(w.stdout, entry)
	return err
}

// password reads a password without showing it, or the first line of what is no terminal, until ctx
// ends.
func (o operatorHash) password(ctx context.Context, w world) (string, error) {
	file, ok := w.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(untilDone(ctx, w.stdin), 1<<10)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	terminal := int(file.Fd())
	shows, err := term.GetState(terminal)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(w.stderr, "Password of %s: ", o.Name)
	defer fmt.Fprintln(w.stderr)
	password, err := orDone(ctx, func() ([]byte, error) { return term.ReadPassword(terminal) })
	if ctx.Err() != nil { // the read may go on, and would leave the terminal hiding what is typed
		err = errors.Join(err, term.Restore(terminal, shows))
	}
	return string(password), err
}
