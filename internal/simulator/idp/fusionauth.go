package idp

// FusionAuth. Sources: its issues 629 and 2443 (postMethod), and "Email templates: replacement
// variables".
const (
	// FusionAuth has a form with a cookie, which a script submits; then a page.
	FusionAuth Provider = "fusionauth"
	// FusionAuthGet takes one GET, and responds with a page, as configured before postMethod.
	FusionAuthGet Provider = "fusionauth-get"
)

// fusionAuth returns FusionAuth's rows.
func fusionAuth() []*profile {
	const link = "/email/verify/{secret}?client_id={id}"
	auto := formLink{field: "csrf", cookie: "fusionauth.csrf", view: pageView{Title: "One moment"},
		finish: showOutcome}
	return []*profile{
		{name: FusionAuthGet, purpose: purposeVerify, life: day, link: link + "&tenantId=d7d09513",
			style: bareLink, says: pageWords, get: getPage},
		{name: FusionAuth, purpose: purposeVerify, life: day,
			link:  link + "&postMethod=true&tenantId=d7d09513",
			style: bareLink, says: pageWords, get: auto.get, post: auto.post},
	}
}
