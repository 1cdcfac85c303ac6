package linkclick

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

const moodleLink = "/login/confirm.php?data=Zk3vQ8mW1xT5nB7/kim"

// The page of Moodle says how it ended: in its own words after success, by its status if not.
func TestMoodle(t *testing.T) {
	for _, tt := range []struct {
		link   string
		status int
		page   string
		want   Outcome
	}{
		{moodleLink, 200, "<h3>Thanks, Kim</h3><p>Your registration has been confirmed</p>",
			OutcomeConfirmed},
		{moodleLink, 200, "<p>Registration has already been confirmed</p>", OutcomeAlready},
		{moodleLink, 404, "<p>Invalid confirmation data</p>", OutcomeRefused},
		{moodleLink, 404, "<p>Virheelliset vahvistustiedot</p>", OutcomeRefused},
		{moodleLink, 200, "<p>Registro confirmado</p>", OutcomeConfirmed},
		{moodleLink, 200, "<p>あなたの登録が承認されました。</p>", OutcomeConfirmed},
		{moodleLink, 200, "<p>Регистрация подтверждена</p>", OutcomeConfirmed},
		{moodleLink, 200, "<p>Din registrering har blivit bekräftad.</p>", OutcomeConfirmed},
		{moodleLink, 200, "<p>Реєстрацію підтверджено</p>", OutcomeConfirmed},
		{moodleLink, 200, "<p>您的注册已经得到确认</p>", OutcomeConfirmed},
		{moodleLink, 200, "<p>您的注册已经确认了</p>", OutcomeAlready},
		{moodleLink, 200, "<p>تم تأكيد التسجيل بالفعل</p>", OutcomeAlready},
		// What is no success of Moodle's is none here.
		{moodleLink, 200, "<p>Registro confirmado: no</p>", OutcomeUnknown},
		{moodleLink, 200, "<p>Registro no confirmado</p>", OutcomeUnknown},
		{moodleLink, 200, "<p>Если регистрация подтверждена, войдите</p>", OutcomeUnknown},
		{moodleLink, 200, "<p>あなたの登録が承認されましたら、お知らせします。</p>", OutcomeUnknown},
		{moodleLink, 200, "<p>您的注册已经得到确认后即可登录</p>", OutcomeUnknown},
		{"/x?t=1", 200, "<p>Registro confirmado</p>", OutcomeUnknown},
		{moodleLink, 200, "<p>Your registration has not yet been confirmed!</p>", OutcomeUnknown},
		{moodleLink, 404, "<p>Your registration has been confirmed</p>", OutcomeRefused},
		{"/x?t=1", 200, "<p>Your registration has been confirmed</p>", OutcomeUnknown},
		// The words were brought by the link.
		{moodleLink + "&redirect=/your+registration+has+been+confirmed", 200,
			"<p>Your registration has been confirmed</p>", OutcomeUnknown},
	} {
		p, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte(tt.page))
		})
		require.Equal(t, tt.want, open(t, c, p.URL+tt.link).Outcome, tt.page)
	}
}

// A link that names a place to go on to leads there, and no word tells the end.
func TestMoodleThatGoesOn(t *testing.T) {
	p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login/confirm.php" {
			http.Redirect(w, r, "/course/", http.StatusSeeOther)
			return
		}
		html200(w, "Courses")
	})
	r := open(t, c, p.URL+moodleLink+"&redirect=%2Fcourse%2F")
	require.Equal(t, OutcomeUnknown, r.Outcome)
}
