package demo

import (
	"context"
	"regexp"

	"smsbridge/phonemail"
)

// This file plays what a person does at the identity provider after the sign-up, and shows the
// texts about it.

// changePassword has the identity provider mail a link to the page where a password is chosen.
func (s *Stage) changePassword(ctx context.Context, phone phonemail.Number) error {
	return s.idp.ChangePassword(ctx, s.tenant.Address.Address(phone))
}

// signIn has the identity provider mail a link, or a code, that signs the person in.
func (s *Stage) signIn(ctx context.Context, phone phonemail.Number, byCode bool) error {
	return s.idp.SignIn(ctx, s.tenant.Address.Address(phone), byCode)
}

// enterCode types a code at the identity provider. The error is idp.ErrCode.
func (s *Stage) enterCode(phone phonemail.Number, code string) error {
	return s.idp.EnterCode(s.tenant.Address.Address(phone), code)
}

// did is what the person has done beyond the sign-up, as the identity provider says.
func (s *Stage) did(phone phonemail.Number) (newPassword, signedIn bool) {
	address := s.tenant.Address.Address(phone)
	return s.idp.PasswordChanged(address), s.idp.SignedIn(address)
}

// A piece is a part of a text: words, or a link that phones let people tap.
type piece struct{ Words, Link string }

var shortLink = regexp.MustCompile(`https?://\S+`)

// Pieces are the parts of a text in their order.
func (t playedText) Pieces() (all []piece) {
	rest := t.Body
	for _, at := range shortLink.FindAllStringIndex(t.Body, -1) {
		begin := len(t.Body) - len(rest)
		if t.FromPhone {
			break
		}
		all = append(all, piece{Words: t.Body[begin:at[0]]}, piece{Link: t.Body[at[0]:at[1]]})
		rest = t.Body[at[1]:]
	}
	return append(all, piece{Words: rest})
}
