//go:build !race

package smtp

import (
	"net/smtp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/simulator/mailgun"
)

func TestRefusesLargeMails(t *testing.T) {
	addr := serve(t, openMailgun(t, mailgun.Config{}), false)
	send := func(mime string) error {
		return smtp.SendMail(addr, nil, testFrom, []string{testPhone}, []byte(mime))
	}
	large := "Subject: x\r\n\r\n" + strings.Repeat("0123456789abcde\r\n", 25<<20/17+1)
	require.Equal(t, 552, status(t, send(large)))
	require.NoError(t, send(testMail))
}
