package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// optOutColumns are the columns of the file in which opt-outs move between bridges.
func optOutColumns() []string {
	return []string{"phone", "scope", "tenant", "account", "sender", "via", "by", "since"}
}

// readOptOuts reads such a file. A mistake names the line, and repeats nothing of it.
func readOptOuts(in io.Reader, tenants tenant.Set) (all []text.Said, err error) {
	rows := csv.NewReader(in)
	rows.FieldsPerRecord = len(optOutColumns())
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		line, _ := rows.FieldPos(0)
		if err != nil {
			return nil, mistake{fmt.Sprintf("the file is not a CSV file of %d columns",
				len(optOutColumns())), "its columns are " + strings.Join(optOutColumns(), ",")}
		}
		if len(all) == 0 && slices.Equal(row, optOutColumns()) {
			continue
		}
		said, what := readOptOut(row, tenants)
		if what != "" {
			return nil, mistake{fmt.Sprintf("line %d: %s", line, what),
				"write it as smsbridge optout export does; nothing was imported"}
		}
		all = append(all, said)
	}
}

// readOptOut reads one line, or says what is wrong with it.
func readOptOut(row []string, tenants tenant.Set) (s text.Said, wrong string) {
	phone, err := phonemail.ParseNumber(row[0])
	if err != nil {
		return s, "the phone is not a number such as +4512345678"
	}
	s = text.Said{Phone: phone, Via: text.Via(row[5]), Recorder: row[6]}
	switch row[1] {
	case "all":
		s.Reach.All = true
	case "tenant":
		if _, known := tenants.Tenant(row[2]); !known {
			return s, "there is no such tenant"
		}
		s.Reach.Tenant = row[2]
	case "sender":
		s.Reach.Line = phonemail.Line{Account: row[3], Sender: row[4]}
		if row[3] == "" || row[4] == "" {
			return s, "the scope sender needs an account and a sender"
		}
	default:
		return s, "the scope is not sender, tenant or all"
	}
	if !slices.Contains(append(text.Vias(), text.ByReply, text.ByProvider), s.Via) {
		return s, "via is not reply, provider, mail, phone, letter or other"
	}
	if s.Since, err = when(row[7]); err != nil {
		return s, "the time is none"
	}
	return s, ""
}

// optOutWriter writes such a file.
type optOutWriter struct{ rows *csv.Writer }

func newOptOutWriter(out io.Writer) optOutWriter {
	w := optOutWriter{csv.NewWriter(out)}
	_ = w.rows.Write(optOutColumns()) // flush returns the error
	return w
}

func (w optOutWriter) write(o text.KnownOptOut) error {
	return w.rows.Write([]string{
		o.Phone.E164(), o.Reach.String(), o.Reach.Tenant, o.Reach.Line.Account, o.Reach.Line.Sender,
		string(o.Via), o.Recorder, o.Since.UTC().Format(time.RFC3339),
	})
}

func (w optOutWriter) flush() error {
	w.rows.Flush()
	return w.rows.Error()
}
