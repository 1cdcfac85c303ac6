package idp

import "net/http"

// PocketBase has a page of script with the token in the fragment, and an API:
// /api/collections/NAME/confirm-verification {token}. Source: its web API reference, "Confirm
// verification".
const PocketBase Provider = "pocketbase"

// pocketBaseCollection is the collection of users. It is no secret, since the token's claims
// have it.
const pocketBaseCollection = "_pb_users_auth_"

// pocketBase returns PocketBase's row.
func pocketBase() []*profile {
	return []*profile{{
		name: PocketBase, purpose: purposeVerify, life: 3 * day,
		link: "/_/#/auth/confirm-verification/{secret}",
		secret: jwt(`"type":"verification","collectionId":"` + pocketBaseCollection +
			`","email":"{email}"`),
		style: mailStyle{Anchor: "Verify"}, says: sameWords("", "Invalid or expired token."),
		get: scriptPage, api: pocketBaseAPI(),
	}}
}

func pocketBaseAPI() *api {
	return &api{
		pattern: "/api/collections/" + pocketBaseCollection + "/confirm-verification",
		secret: func(_ *Server, _ *http.Request, body map[string]string) (string, bool) {
			return body["token"], true
		},
		respond: func(w http.ResponseWriter, k *ticket, o outcome) {
			if o == verified {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			token := map[string]any{"code": "validation_invalid_token", "message": k.provider.says[o]}
			respondJSON(w, http.StatusBadRequest, map[string]any{"status": 400,
				"message": "Something went wrong while processing your request.",
				"data":    map[string]any{"token": token}})
		},
	}
}
