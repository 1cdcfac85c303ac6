package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// No word in any language opens a link whose shape is that of a change of address too. A tracking
// link that leads there opens it no more. The operator who allows its path may open it.
func TestSharedShapes(t *testing.T) {
	const secret = "b7k1qz9o4f8gxw5nirt3ymcd6e7k1qz9o4f8gxw5nirt3ymcd6e"
	for link, path := range map[string]string{
		atLogin + "/do_verify_email?token=" + secret +
			"&email=kim%40acme.example": "/do_verify_email?token&email",
		atLogin + "/welcome?userId=65a1c2d3e4&secret=" + secret +
			"&expire=2026": "/welcome?userId&secret&expire",
		atLogin + "/v1/verify?_clerk_js_version=5&token=" + secret: "/v1/verify?_clerk_js_version&token",
		atLogin + "/email/verify/0oai9ifvveyL3QZ8K696?token=" +
			secret: "/email/verify/*?token",
		atLogin + "/auth/v1/verify?token=" + secret + "&type=email": "/auth/v1/verify?token&type=email",
		atLogin + "/auth/confirm?token_hash=" + secret +
			"&type=email": "/auth/confirm?token_hash&type=email",
		atLogin + "/if/flow/welcome/?flow_token=" + secret: "/if/flow/welcome?flow_token",
	} {
		for _, subject := range []string{
			"Verify your email", "[ACME] You updated your email", "E-posta adresinizi doğrulayın",
			"Yeni e-posta adresinizi doğrulayın", "验证您的新电子邮件地址", "",
		} {
			m := Mail{Subject: subject, HTML: `<a href="` + link + `">Verify email</a>`}
			f := Find(m, acme)
			require.Empty(t, f.URL, subject)
			require.NotEmpty(t, f.Reason)
			if subject == "Verify your email" {
				require.Equal(t, path, f.Allow)
			}
		}
		allowed := Rule{Hosts: acme.Hosts, Paths: []string{path}}
		m := Mail{Subject: "Verify your email", HTML: `<a href="` + link + `">Verify email</a>`}
		require.Equal(t, link, Find(m, allowed).URL)
		u, why := acme.judge(link)
		require.Empty(t, why)
		require.False(t, acme.mayBegin(u))
		require.True(t, allowed.mayBegin(u))
	}
}
