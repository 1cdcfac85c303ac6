package linkclick

import (
	"testing"
)

func TestHasura(t *testing.T) {
	const (
		link = "/v1/verify?ticket=verifyEmail:1&type=emailVerify"
		bad  = "https://app.example/?error=invalid-ticket&errorDescription=Invalid+or+expired+ticket"
	)
	redirectCase{link, "https://app.example/?refreshToken=x&type=emailVerify", "",
		OutcomeConfirmed}.run(t)
	redirectCase{link, bad, "", OutcomeExpired}.run(t)
}
