package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"smsbridge/internal/store"
)

// The helps are in keysHelps, since a tag cannot be broken into lines.
type keysCommand struct {
	Config string `help:"${keys_config}" env:"SMSBRIDGE_CONFIG" placeholder:"FILE"`
	Forget string `help:"${keys_forget}" placeholder:"ID"`
}

// keysHelps returns the helps of the flags, by the names that their tags have.
func keysHelps() kong.Vars {
	return kong.Vars{
		"keys_config": "The file of settings that the bridge is started with, if it has one.",
		"keys_forget": "Give up a key that is lost for good, and all that it sealed.",
	}
}

// Help is shown by smsbridge keys --help.
func (keysCommand) Help() string {
	return "Links, codes and mails are sealed in the database. This says which key sealed how many " +
		"of them, and which key is not needed any more. Keys are shown by their ids, which tell " +
		"nothing about them. It reads the same settings as serve and changes nothing, and the bridge " +
		"may be running.\n\n" +
		"To change the key of one bridge:\n\n" +
		"  1. Make one: openssl rand -hex 32\n" +
		"  2. Set SMSBRIDGE_KEY=NEW,OLD and restart. The first seals, the second opens. The bridge " +
		"seals anew in the background what the old key had sealed.\n" +
		"  3. When this command says so, remove the old one and restart.\n\n" +
		"With several replicas set OLD,NEW on all of them first, and then NEW,OLD: a replica that " +
		"does not know the new key cannot open what another one sealed with it. A key in a file " +
		"beside the database is changed in the same way: a line for each key, the new one first.\n\n" +
		"A bridge does not start when a key is missing that sealed something. If that key is lost for " +
		"good, stop the bridge and run smsbridge keys --forget ID. The open questions and codes that " +
		"it sealed are lost then. Opt-outs are lost, too, if it sealed the key of their digests: have " +
		"smsbridge optout export write them beside your backups, and import them again."
}

// Run prints what each key seals.
func (k keysCommand) Run(ctx context.Context, w world) error {
	options, err := optionsOf(ctx, k.Config, w)
	if err != nil {
		return err
	}
	if k.Forget != "" {
		return k.forget(ctx, w, options)
	}
	uses, err := store.Keys(ctx, options)
	if err != nil {
		return explainMissing(err, options)
	}
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tSEALED VALUES\t")
	for _, use := range uses {
		fmt.Fprintf(table, "%s\t%d\t%s\n", use.ID, use.Values, advice(use))
	}
	return table.Flush()
}

// advice is what to do about a key.
func advice(use store.KeyUse) string {
	switch {
	case use.Seals:
		return "seals what is new"
	case use.New:
		return "seals nothing yet: once all replicas have it, put it first"
	case use.Given && use.Values == 0:
		return "not needed any more: remove it from the settings"
	case use.Given:
		return "still needed: the running bridge seals these anew"
	case use.Values == 0:
		return "was used once and is not needed any more"
	}
	return "MISSING: the bridge does not start without it"
}

func (k keysCommand) forget(ctx context.Context, w world, o store.Options) error {
	known, err := store.Forget(ctx, o, k.Forget)
	if errors.Is(err, store.ErrKeyInUse) {
		return mistake{"the key " + k.Forget + " is configured, and so it is not lost",
			"take it out of the settings first, if it is to be forgotten"}
	}
	if errors.Is(err, store.ErrKeyRuns) {
		return failure{err, "stop the replica first, if the key is lost for good; one that was killed " +
			"counts as running for a minute"}
	}
	if err != nil {
		return explainMissing(err, o)
	}
	if !known {
		return mistake{"no value was sealed with a key " + k.Forget,
			"smsbridge keys lists the ids of the keys"}
	}
	_, err = fmt.Fprintln(w.stdout, "forgotten: the bridge starts without the key "+k.Forget)
	return err
}
