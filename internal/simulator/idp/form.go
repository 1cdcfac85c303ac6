package idp

import "net/http"

// formLink is a link whose GET shows a form. Its POST redeems it, if the form's hidden field
// and the cookie of that GET come back. A GET uses nothing up. A link that cannot be redeemed
// any more shows its outcome at once.
type formLink struct {
	field, cookie string   // names of the hidden field and of the cookie
	view          pageView // of the form; State and Field are filled in
	finish        func(i *Server, w http.ResponseWriter, r *http.Request, k *ticket, o outcome)
}

func (f formLink) get(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
	i.mu.Lock()
	o := i.outlook(k)
	view := f.view
	if o == verified {
		k.state, k.cookie = randomText(40), randomText(24)
		view.State, view.Field = k.state, f.field
	}
	cookie := k.cookie
	i.mu.Unlock()
	if o != verified {
		f.finish(i, w, r, k, o)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: f.cookie, Value: cookie, Path: r.URL.Path, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	showPage(w, http.StatusOK, view)
}

func (f formLink) post(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	cookie, err := r.Cookie(f.cookie)
	state, password := r.PostFormValue(f.field), r.PostFormValue("password")
	i.mu.Lock()
	o := i.outlook(k)
	genuine := err == nil && k.state != "" && state == k.state && cookie.Value == k.cookie &&
		(!f.view.Password || password != "")
	if genuine {
		o = i.redeem(k)
	}
	i.mu.Unlock()
	if o == verified && !genuine {
		showPage(w, http.StatusBadRequest, pageView{
			Title: "Something went wrong", Message: "Please open the link again."})
		return
	}
	f.finish(i, w, r, k, o)
}

var passwordWords = sayings{"Your password has been set.", "This link has already been used.",
	"This link has already been used.", "This link has expired.", "This link is invalid."}

// passwordForm returns a form that only a person can fill in.
func passwordForm() formLink {
	return formLink{field: "state", cookie: "session", finish: showOutcome,
		view: pageView{Title: "Choose a password", Password: true, Button: "Save"}}
}
