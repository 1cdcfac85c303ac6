//go:build !race

package linkclick

import (
	"math/rand/v2"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
)

// Every form takes what its provider sends and nothing near it.
func TestSegmentForms(t *testing.T) {
	const digest = "7c1e5a90b3d24f68a1c9e07d52b84f36"
	for form, tt := range map[string]struct{ fits, refuses []string }{
		"*":      {[]string{"x"}, []string{""}},
		"{name}": {[]string{"x"}, []string{""}},
		"{scope}": {[]string{"users", "user", "accounts", "members", "customers", "auth"},
			[]string{"", "orders", "payments", "device", "admins", "Users", "usersx"}},
		"{id}": {[]string{"a1b2c3d4e5f6", "QWertyuiopasdfg"}, []string{"", "a1b2c3d4e5f",
			"approve-payment-now", "transfer-ownership", "approvePaymentNow"}},
		"{num}": {[]string{"1", "1768209247"},
			[]string{"", "-1", "1e3", "١٢", strings.Repeat("1", 21)}},
		"{hex}":  {[]string{digest}, []string{digest[1:], strings.ToUpper(digest), digest + "g"}},
		"{uuid}": {[]string{"3f2b8c1e-6a4d-4e9b-8f10-5c7d2a9e1b34"}, []string{digest, "new"}},
		"{alnum}": {[]string{digest}, []string{"approve-device-now-1", "short",
			"approveThePaymentNow"}},
		"{b64}": {[]string{digest + "_-"},
			[]string{"confirm", digest + "=", "transfer-ownership-of-all"}},
		"{signed}": {[]string{"MQ:1vXyZ0:Zk3vQ8", digest + digest},
			[]string{digest, "delete-my-account", "MQ:1vXyZ0", "a:b:c:d"}},
		"{stamped}": {[]string{"cxy1z2-" + digest},
			[]string{digest, "approve-login-of-a-device", "c-" + digest[:19]}},
		"{message}": {[]string{"eyJfcmFpbHMifQ==--" + digest + "a1b2c3d4", "eyJf--" + digest + digest},
			[]string{digest, "eyJf==-" + digest + digest, "eyJf--" + digest, "approve--the-payment"}},
		"confirm": {[]string{"confirm"}, []string{"Confirm", "confirmed", ""}},
	} {
		for _, have := range tt.fits {
			require.True(t, fitsSegment(form, have), "%s %q", form, have)
		}
		for _, have := range tt.refuses {
			require.False(t, fitsSegment(form, have), "%s %q", form, have)
		}
	}
	for form := range segmentForms {
		require.False(t, fitsSegment(form, form), "a form is no segment of a link")
	}
}

// Ensure that a form takes what its whole expression takes, whose lengths are kept beside it:
// segments as long as it allows, a byte shorter and longer, and with a byte that is not of it.
func TestSegmentFormsAreExact(t *testing.T) {
	longtest.Skip(t)
	random := rand.New(rand.NewPCG(3, 5))
	forms := map[string]string{
		"{scope}":   `^(users?|accounts?|members?|customers?|auth)$`,
		"{num}":     `^[0-9]{1,20}$`,
		"{hex}":     `^[0-9a-f]{32,128}$`,
		"{uuid}":    `^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`,
		"{alnum}":   `^[0-9A-Za-z]{20,128}$`,
		"{b64}":     `^[0-9A-Za-z_-]{20,256}$`,
		"{signed}":  `^([\w-]+:[\w-]+:[\w-]+|[0-9a-z]{64})$`,
		"{stamped}": `^[0-9a-z]{1,13}-[0-9A-Za-z]{20,64}$`,
		"{message}": `^[0-9A-Za-z_-]+={0,2}--[0-9a-f]{40,64}$`,
	}
	require.Len(t, forms, len(segmentForms))
	for form, whole := range forms {
		want, have := regexp.MustCompile(whole), segmentForms[form]
		fitted := 0
		try := func(segment string) {
			if want.MatchString(segment) {
				fitted++
			}
			require.Equal(t, want.MatchString(segment), have.fits(segment), "%s %q", form, segment)
		}
		for _, word := range strings.Fields("user users account members customers auth author a-b") {
			try(word)
		}
		for _, alphabet := range []string{"0123456789", "0123456789abcdef", "09afAF", "0aZz", "0aZz_-"} {
			draw := func(n int) string {
				drawn := make([]byte, n)
				for i := range drawn {
					drawn[i] = alphabet[random.IntN(len(alphabet))]
				}
				return string(drawn)
			}
			for n := range 260 {
				try(draw(n))
				try(draw(n) + "é")
				try(draw(n) + "\n")
				first := min(n, random.IntN(15))
				try(draw(first) + "-" + draw(n-first))
				try(draw(first) + "==--" + draw(n))
				try(draw(first) + ":" + draw(first) + ":" + draw(n-first))
				try(draw(n%10) + "-" + draw(4) + "-" + draw(4) + "-" + draw(4) + "-" + draw(12))
				try(draw(8) + "-" + draw(4) + "-" + draw(n%6) + "-" + draw(4) + "-" + draw(12+n%2))
			}
		}
		require.Greater(t, fitted, 3, form)
	}
}

// Links that stand near those that verify, reset or sign in do something else, and are known for
// it, or are not known at all.
func TestNearMisses(t *testing.T) {
	const (
		hex   = "7c1e5a90b3d24f68a1c9e07d52b84f36"
		token = hex + "-_" + "Zk3vQ8mW1xT"
		own   = Kind("a shape, but no kind")
	)
	for link, want := range map[string]Kind{
		"/users/unlock?unlock_token=t1":                                 KindChange,
		"/orders/confirmation?confirmation_token=t1":                    "",
		"/payments/confirmation?confirmation_token=t1":                  "",
		"/device/confirmation?confirmation_token=t1":                    "",
		"/withdrawal/confirmation?confirmation_token=t1":                "",
		"/mandate/confirmation?confirmation_token=t1":                   "",
		"/email_changes/confirmation?confirmation_token=t1":             "",
		"/orders/password/edit?reset_password_token=t1":                 "",
		"/apps/delete-account/verify_email?token=t1":                    "",
		"/apps/delete-account-7f3a/verify_email?token=t1":               "",
		"/apps/pay-7f3a/verify_email?token=t1":                          "",
		"/apps/shop-7f3a/verify_email?token=t1":                         KindVerify,
		"/email/verify/transfer-ownership?token=1":                      "",
		"/email/verify/approve-payment-now":                             "",
		"/email/verify/approve-payment-17f3a9":                          "",
		"/email/verify/close-account/" + hex + "?expires=1&signature=a": "",
		"/email/verify/17/" + hex +
			"?expires=1&signature=a": KindVerify,
		"/users/confirm/transfer-ownership-of-my-account-at-once":                             "",
		"/if/flow/verify-device/?flow_token=t1":                                               "",
		"/if/flow/default-unenrollment-flow/?flow_token=t1":                                   "",
		"/if/flow/passkey-enrollment/?flow_token=t1":                                          own,
		"/if/flow/enrollment-recovery/?flow_token=t1":                                         "",
		"/if/flow/welcome/?flow_token=t1":                                                     own,
		"/if/flow/default-enrollment-flow/?flow_token=t1":                                     KindVerify,
		"/if/flow/EmailVerification/?flow_token=t1":                                           KindVerify,
		"/if/flow/password-reset/?flow_token=t1":                                              KindReset,
		"/confirmEmail?userId=1&code=a&delete=true":                                           "",
		"/confirmEmail?userId=1&code=a&confirmDelete=1":                                       "",
		"/confirmEmail?userId=1&code=a&delete=false":                                          "",
		"/confirmEmail?userId=1&code=a&user[delete]=1":                                        "",
		"/confirmEmail?userId=1&code=a&newEmail=b":                                            "",
		"/confirmEmail?userId=1&code=a&updateTo=b":                                            "",
		"/confirmEmail?userId=1&code=a&returnUrl=b":                                           KindVerify,
		"/confirmEmail?userId=1&code=a&payload=b":                                             KindVerify,
		"/email/verify/" + hex + "?metaData.device.name=Firefox&metaData.device.type=BROWSER": KindVerify,
		"/u/email-verification?ticket=t1&approve=1":                                           "",
		"/v1/verify?_clerk_js_version=5&token=a":                                              own,
		"/auth/v1/verify?token=a&type=email":                                                  own,
		"/auth/confirm?token_hash=a&type=email":                                               own,
		"/realms/r/login-actions/action-token?key=opaque":                                     own,
		"/realms/orders/login-actions/action-token?key=" +
			keycloakKey("verify-email"): KindVerify,
		"/users/confirmation":                                           "",
		"/users/confirmation?token=t1":                                  "",
		"/-/profile/emails/confirmation?confirmation_token=t1":          KindChange,
		"/users/settings/confirm-email/" + token:                        KindChange,
		"/users/confirm/" + hex[:12]:                                    "",
		"/confirm-email/cancel-my-order-now":                            "",
		"/reset/device/approve-this-login-now":                          "",
		"/reset/2fa/" + hex:                                             "",
		"/email/verify/17/" + hex + "?expires=1":                        "",
		"/email/verify/17/remove-second-factor?expires=1&signature=a":   "",
		"/verify/email?expires=1&token=a":                               "",
		"/Account/ConfirmEmailChange?userId=1&email=a&code=b":           KindChange,
		"/Account/ConfirmEmail?userId=1&code=b&changedEmail=a":          KindChange,
		"/Account/ConfirmEmail?userId=1&code=b&email=a":                 KindChange,
		"/Account/Manage/Disable2fa?userId=1&code=b":                    "",
		"/account/activate?key=":                                        "",
		"/u/confirm-old-email/" + hex:                                   KindChange,
		"/u/confirm-admin/" + hex:                                       KindChange,
		"/u/activate-account/me":                                        "",
		"/do_verify_email?token=a&email=b":                              own,
		"/do_verify_email?token=a":                                      "",
		"/members/?token=a&action=updateEmail":                          KindChange,
		"/members/?token=a&action=Signup":                               "",
		"/members/?token=a":                                             "",
		"/console/anything?userId=1&secret=a&expire=1":                  own,
		"/parse/apps/shop/resend_verification_email?token=a":            "",
		"/#/enroll-account/" + token:                                    KindInvite,
		"/#/verify-email/12":                                            "",
		"/wp-login.php?action=confirmaction&request_id=1&confirm_key=a": KindChange,
		"/wp-login.php?action=logout&key=a&login=b":                     "",
		"/wp-admin/profile.php?newuseremail=a":                          KindChange,
		"/user/17/cancel/confirm/1768209247/" + token:                   KindChange,
		"/user/reset/me/now/" + token:                                   "",
		"/user/emailupdate.php?key=a&id=17":                             KindChange,
		"/user/activate_email?code=a&email=b":                           KindChange,
		"/user/delete?code=a":                                           "",
		"/lostpassword/set/" + hex + "/kim":                             "",
	} {
		u, err := url.Parse("https://login.acme.example" + link)
		require.NoError(t, err)
		got := shapeOf(u)
		if want == own {
			require.NotNil(t, got.provider, link)
			want = ""
		} else if want == "" {
			require.Nil(t, got.provider, "%s has the shape of %s %s", link, got.name(), got.path)
		}
		require.Equal(t, want, got.kind, link)
	}
}

// Secrets drawn by chance do not speak: a mail is not held because letters of its secret spell a
// short word.
func TestSecretsDoNotSpeak(t *testing.T) {
	longtest.Skip(t)
	for name, letters := range map[string]string{
		"{id}":    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
		"{alnum}": "abcdefghijklmnopqrstuvwxyz0123456789",
		"{b64}":   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
	} {
		draw, held := rand.New(rand.NewPCG(1, 2)), 0
		for range 20_000 {
			secret := make([]byte, 20+draw.IntN(24))
			for i := range secret {
				secret[i] = letters[draw.IntN(len(letters))]
			}
			if !fitsSegment(name, string(secret)) || hearSegment(string(secret)) != saysNothing {
				held++
			}
		}
		require.LessOrEqual(t, held, 4, name)
	}
}
