//go:build !race

package tenant

import (
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/phonemail"
)

// TestWay is the table of the decision: in which form, from whom, or why not.
func TestWay(t *testing.T) {
	const number, local, name = "+15005550006", "+4540123456", "ACME"
	reply, tap, both := ByReply, ByTap, ByBoth
	for _, test := range []struct {
		code    string
		from    string // of questions
		links   string // of links and codes, "" for from
		works   string // where the operator says that all works
		asked   Answer
		answer  Answer // "" when no question is asked
		sender  string // of the question
		link    bool   // a link is texted
		code2fa bool   // a code is texted
	}{
		// Denmark filters links that are not registered, and takes names.
		{"DK", number, "", "", reply, reply, number, false, true},
		{"DK", number, "", "", tap, reply, number, false, true},
		{"DK", number, "", "", both, reply, number, false, true},
		{"DK", number, "", "DK", tap, tap, number, true, true},
		{"DK", number, "", "DK", both, both, number, true, true},
		{"DK", number, "", "DK", reply, reply, number, true, true},
		{"DK", number, "", "SE", tap, reply, number, false, true},
		{"DK", name, "", "", tap, "", name, false, true},
		{"DK", name, "", "DK", tap, tap, name, true, true},
		{"DK", number, name, "DK", tap, tap, name, true, true},
		{"DK", number, name, "DK", reply, reply, number, true, true},
		{"DK", number, name, "DK", both, both, number, true, true},
		// A Danish number says no link in Denmark, even a registered one.
		{"DK", local, "", "DK", tap, reply, local, false, true},
		{"DK", local, name, "DK", tap, tap, name, true, true},
		{"DK", local, name, "DK", both, reply, local, true, true},
		{"SE", local, "", "SE", tap, tap, local, true, true},
		// France takes links of one's own host.
		{"FR", number, "", "", tap, tap, number, true, true},
		{"FR", number, "", "", both, both, number, true, true},
		{"FR", name, "", "", tap, tap, name, true, true},
		// Spain and the US know names differently.
		{"ES", number, name, "", reply, reply, number, false, false},
		{"ES", number, name, "ES", reply, reply, number, true, true},
		{"US", number, name, "US", reply, reply, number, false, false},
		{"US", number, name, "US", tap, reply, number, false, false},
		{"US", number, "", "US", tap, tap, number, true, true},
		// Romania's phones cannot text back.
		{"RO", number, "", "", reply, "", number, false, true},
		{"RO", number, name, "RO", reply, reply, number, true, true}, // the operator knows better
		// China takes no link at all.
		{"CN", number, "", "CN", tap, reply, number, false, true},
		{"CN", number, "", "", tap, "", number, false, true},
		// Whether phones of Iceland can text back is unknown, and what becomes of links.
		{"IS", number, "", "", reply, reply, number, false, true},
		{"IS", number, "", "", tap, reply, number, false, true},
		{"IS", number, name, "", tap, reply, number, false, true},
		// A number from a range that belongs to no country.
		{"", number, "", "", tap, reply, number, false, true},
		{"", number, "", "*", tap, tap, number, true, true},
		{"", name, "", "", tap, "", name, false, false},
		{"NZ", name, "", "", tap, "", name, false, false},
	} {
		acme := &Tenant{Slug: "acme", Question: Question{Answer: test.asked}, Sending: Sending{
			Providers: []Provider{ByTwilio},
			Twilio:    Twilio{AccountSID: testSID, From: test.from, LinksFrom: test.links},
		}}
		if test.works != "" {
			all := []string{test.works}
			acme.Works = Works{Replies: all, Names: all, Links: all}
		}
		ask := acme.WayTo(test.code, ForQuestion)
		require.Equal(t, test.sender, ask.Line.Sender, "%+v", test)
		require.Equal(t, testSID, ask.Line.Account)
		if test.answer == "" {
			require.NotEmpty(t, ask.Refusal, "%+v", test)
		} else {
			require.Empty(t, ask.Refusal, "%+v", test)
			require.Equal(t, test.answer, ask.Answer, "%+v", test)
		}
		require.Equal(t, test.link, acme.WayTo(test.code, ForLink).Refusal == "", "%+v", test)
		require.Equal(t, test.code2fa, acme.WayTo(test.code, ForCode).Refusal == "", "%+v", test)
	}
}

// TestWayReasons wants a refusal to name the country, each obstacle and the setting.
func TestWayReasons(t *testing.T) {
	acme := mustTenant(t, "SMSBRIDGE_COUNTRIES=DK,RO,FR", "TWILIO_LINKS_FROM=ACME")
	require.Equal(t, "phones of RO cannot text back (replies_work); "+
		"operators of RO take only registered names as senders (names_work)",
		acme.WayTo("RO", ForQuestion).Refusal)
	require.Equal(t, "operators of DK filter texts with links that are not registered (links_work)",
		acme.WayTo("DK", ForLink).Refusal)
	require.Equal(t, "it is not known whether operators of NZ take names as senders (names_work)",
		acme.WayTo("NZ", ForCode).Refusal)
	verify := *acme
	verify.Sending.Providers = []Provider{ByVerify, ByTwilio}
	require.Empty(t, verify.WayTo("NZ", ForCode).Refusal, "Verify has senders of its own")
	require.NotEmpty(t, verify.WayTo("NZ", ForLink).Refusal)

	own := &Tenant{Slug: "acme", Question: Question{Answer: ByTap}}
	require.Empty(t, own.WayTo("FR", ForQuestion).Refusal)
	require.Empty(t, own.WayTo("US", ForCode).Refusal, "what stands for it is no name")
	require.Contains(t, own.WayTo("DK", ForQuestion).Refusal, "your own sender brings no replies; ")
}

// TestLinesByUse wants the line of each use, and every reply's line to be the tenant's.
func TestLinesByUse(t *testing.T) {
	phone, err := phonemail.ParseNumber("+4512345678")
	require.NoError(t, err)
	swede, err := phonemail.ParseNumber("+46701234567")
	require.NoError(t, err)
	acme := mustTenant(t, "TWILIO_LINKS_FROM="+testMG)
	acme.Sending.Senders = map[string]string{"SE": "+46700000000"}
	acme.Sending.LinksSenders = map[string]string{"DK": "+15005550007"}
	set := Set{all: []*Tenant{acme}}
	for _, test := range []struct {
		phone           phonemail.Number
		question, links string
	}{
		{phone, "+15005550006", "+15005550007"}, {swede, "+46700000000", testMG},
	} {
		require.Equal(t, test.question, acme.Way(test.phone, ForQuestion).Line.Sender)
		require.Equal(t, test.question, acme.Line(test.phone).Sender)
		for _, use := range []Use{ForLink, ForCode} {
			line := acme.Way(test.phone, use).Line
			require.Equal(t, test.links, line.Sender)
			require.Equal(t, []*Tenant{acme}, set.ByLine(line))
		}
	}
	for _, sender := range []string{"", "+15005550008"} {
		require.Empty(t, set.ByLine(phonemail.Line{Account: testSID, Sender: sender}))
	}

	plain := Set{all: []*Tenant{mustTenant(t)}}
	require.Empty(t, plain.ByLine(phonemail.Line{Account: testSID}), "it has no sender of links")

	only := mustTenant(t, append(atFlowroute(), "FLOWROUTE_LINKS_NUMBER=12065550102",
		"TWILIO_ACCOUNT_SID=", "TWILIO_AUTH_TOKEN=", "TWILIO_FROM=")...)
	question, link := only.Way(phone, ForQuestion).Line, only.Way(phone, ForLink).Line
	require.Equal(t, phonemail.Line{Account: "flowroute:access", Sender: "+12065550101"}, question)
	require.Equal(t, phonemail.Line{Account: "flowroute:access", Sender: "+12065550102"}, link)
	set = Set{all: []*Tenant{only}}
	require.Len(t, set.ByLine(question), 1)
	require.Len(t, set.ByLine(link), 1)
}

// TestFlowrouteNumbers wants a text and its reply to have the number of its use, also where the
// line is Twilio's.
func TestFlowrouteNumbers(t *testing.T) {
	phone, err := phonemail.ParseNumber("+4512345678")
	require.NoError(t, err)
	acme := mustTenant(t, append(atFlowroute(), "FLOWROUTE_LINKS_NUMBER=+12065550102",
		"TWILIO_LINKS_FROM="+testMG)...)
	for use, number := range map[Use]string{ForQuestion: "+12065550101", ForCode: "+12065550102"} {
		line := acme.Way(phone, use).Line
		require.Equal(t, number, acme.FlowrouteNumber(line))
		came, ok := acme.FlowrouteLine(phone, number)
		require.True(t, ok)
		require.Equal(t, line, came)
	}
	_, ok := acme.FlowrouteLine(phone, "+12065550103")
	require.False(t, ok)
	acme = mustTenant(t, append(atFlowroute(), "TWILIO_LINKS_FROM="+testMG)...)
	require.Equal(t, "+12065550101", acme.FlowrouteNumber(acme.Way(phone, ForCode).Line))
	_, ok = acme.FlowrouteLine(phone, "")
	require.False(t, ok)
}

// TestCodeWording wants no line of the site where that could be taken for a link.
func TestCodeWording(t *testing.T) {
	phone, err := phonemail.ParseNumber("+4512345678")
	require.NoError(t, err)
	acme := mustTenant(t, "SMSBRIDGE_CODE_DOMAIN=login.acme.example")
	require.Contains(t, acme.CodeText("482193", ""), "\n\n@login.acme.example #482193")
	require.Equal(t, mustTenant(t).CodeText("482193", "da"), acme.CodeWording(phone)("482193", "da"))
	acme = mustTenant(t, "SMSBRIDGE_CODE_DOMAIN=login.acme.example", "SMSBRIDGE_LINKS_WORK=DK")
	require.Equal(t, acme.CodeText("482193", "da"), acme.CodeWording(phone)("482193", "da"))
	require.Contains(t, acme.FormCodeWording(phone)("482193", ""), "@bridge.acme.example #482193")
	require.NotContains(t, mustTenant(t).FormCodeWording(phone)("482193", ""), "bridge.acme.example")
	require.Contains(t, mustTenant(t).FormCodeWording(phone)("482193", ""), "482193")
}
