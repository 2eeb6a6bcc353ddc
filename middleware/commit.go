package middleware

import (
	"errors"
	"net/http"
	"slices"
	"time"
)

// commit is the moment the headers go out: the request turns out to be a pageview or not, and the cookies are written,
// once, if anything happened. It runs before the header map is handed on.
func (v *Visit) commit(status int, h http.Header, contentType string, mayBePage bool) {
	if identified := v.commitLocked(status, h, contentType, mayBePage); identified != nil {
		identified()
	}
}

func (v *Visit) commitLocked(status int, h http.Header, contentType string, mayBePage bool) (identified func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.sent {
		return nil
	}
	v.sent = true
	now := time.Now()
	v.page = Page{Reason: Status, Time: now, Status: status}
	if mayBePage {
		v.page.Reason = v.classify(status, h, contentType)
	}
	if v.page.Reason == Counted {
		v.who = v.state.Event(now.UnixMilli())
	}
	identified = v.writeCookies(h, now)
	if v.m.options.Debug && v.page.Reason != Counted {
		h.Set("Loguro-Excluded", v.page.Reason.String())
	}
	return identified
}

// classify asks the cheap questions first; the application's hooks only if the request could be a pageview.
func (v *Visit) classify(status int, h http.Header, contentType string) Reason {
	if isPrefetch(v.request.Header) {
		return Prefetch
	}
	reason := navigation(v.request)
	if reason == Counted {
		reason = htmx(v.request.Header, h)
	}
	if reason == Counted {
		reason = judge(status, h, contentType)
	}
	if reason == Counted {
		v.open()
		reason = v.bar
	}
	return reason
}

// writeCookies adds the Set-Cookie headers, if there are any. It returns what to do about an identify event that the
// browser's last request left behind.
func (v *Visit) writeCookies(h http.Header, now time.Time) (identified func()) {
	if !v.opened {
		if !v.noted() {
			return nil
		}
		v.open()
	}
	pending := v.bar == Counted && v.state.Pending()
	if !pending && !v.state.Changed() {
		return nil
	}
	if sharedCacheable(h) {
		v.m.cookiesSuppressed.Add(1)
		return v.keep(now)
	}
	if pending {
		if who, id, traits, ok := v.state.Take(now.UnixMilli()); ok {
			identified = func() { v.m.options.Recorder.Identified(v, who, id, traits, now) }
		}
	}
	before := slices.Clip(h["Set-Cookie"]) // the handler may use its slice again
	if lines := v.state.SetCookies(before, v.host); len(lines) > len(before) {
		h["Set-Cookie"] = lines
		protect(h)
	}
	return identified
}

// keep records an identify event at once that was to wait for the next request, because its note cannot be sent.
func (v *Visit) keep(now time.Time) (identified func()) {
	id, traits, ok := v.state.Keep()
	if !ok {
		return nil
	}
	who := v.state.Event(now.UnixMilli())
	return func() { v.m.options.Recorder.Identified(v, who, id, traits, now) }
}

// noted says whether a request in which nothing happened carries a note to take over.
func (v *Visit) noted() bool {
	if v.m.options.Ephemeral || len(v.request.Header["Cookie"]) == 0 {
		return false
	}
	p := v.m.options.Issuer.Present(v.request.Header)
	return p.Noted()
}

// finish runs after the handler, or while its panic passes by.
func (v *Visit) finish(route string, returned bool) {
	w := &v.writer
	w.panicked = !returned
	w.settle()
	v.mu.Lock()
	page := v.page
	page.Route, page.Duration = route, time.Since(v.began)
	if page.Reason == Counted && (!returned || v.timedOut()) {
		page.Reason = Status
	}
	rejected := v.opened && v.state.Rejected()
	var record func()
	if page.Reason == Counted {
		who := v.who
		// An Identify after the headers counts for the page as well, but it does not move it to another session.
		if now := v.state.Peek(page.Time.UnixMilli()); who.User == "" && now.Session == who.Session {
			who.User = now.User
		}
		record = func() { v.m.options.Recorder.Pageview(v, who, page) }
	}
	v.mu.Unlock()
	if rejected {
		v.m.cookiesRejected.Add(1)
	}
	if record == nil {
		v.m.excluded[page.Reason].Add(1)
		return
	}
	record()
}

// timedOut says whether an http.TimeoutHandler around us answered in the handler's place: it then takes no more writes.
func (v *Visit) timedOut() bool {
	if v.Context.Err() == nil {
		return false
	}
	_, err := v.writer.inner.Write(nil)
	return errors.Is(err, http.ErrHandlerTimeout)
}
