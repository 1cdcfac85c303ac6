package linkclick

import "testing"

func TestGhost(t *testing.T) {
	const link = "/members/?token=t1&action=signup"
	for _, tt := range []redirectCase{
		{link, "/?action=signup&success=true", "ghost-members-ssr", OutcomeConfirmed},
		{link, "/welcome/?success=true&action=signup", "", OutcomeConfirmed},
		{link, "/?action=signup&success=false", "", OutcomeRefused},
	} {
		tt.run(t)
	}
}
