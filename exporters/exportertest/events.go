package exportertest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/loguro/loguro"
	"github.com/loguro/loguro/event"
)

// Events returns n events as a busy shop makes them: interleaved visits, one event in four custom with props, many
// different addresses and props. They are in order of time within one UTC day if n is below about four million, each
// has its own id, and the first ones are the same for every n. Near-constant rows flatter a columnar store; these do not.
func Events(n int) []loguro.Event {
	g := &generator{
		rand: rand.New(rand.NewPCG(1, 2)),
		now:  time.Date(2026, 5, 14, 0, 0, 0, 0, time.UTC).UnixMilli(),
	}
	for i := range g.active {
		g.active[i] = g.newVisit()
	}
	events := make([]loguro.Event, n)
	for i := range events {
		g.next(&events[i])
	}
	return events
}

// generator plays visits that run side by side.
type generator struct {
	rand   *rand.Rand
	now    int64
	serial uint16
	active [256]loguro.Event // what all events of a visit share
}

func (g *generator) next(e *loguro.Event) {
	g.now += int64(g.rand.IntN(40))
	visit := &g.active[g.rand.IntN(len(g.active))]
	if g.rand.IntN(7) == 0 {
		*visit = g.newVisit()
	}
	*e = *visit
	e.ID, e.Time = g.timeID(), g.now
	e.Status, e.Duration = 200, int64(g.rand.ExpFloat64()*35)

	page := pick(g, pages)
	e.Title, e.Route, e.Path = page.title, "GET "+page.route, page.route
	if page.items > 0 {
		item := int(float64(page.items) * g.rand.Float64() * g.rand.Float64()) // a few items are popular
		e.Path = fmt.Sprintf("%s/%s-%d", page.path, words[item%len(words)], item)
		e.Title = fmt.Sprintf("%s %d – Acme", page.title, item)
	}
	e.URL = "https://shop.acme.com" + e.Path
	if page.query {
		e.URL += fmt.Sprintf("?q=%s+%s&page=%d", pick(g, words), pick(g, words), 1+g.rand.IntN(4))
	}
	if g.rand.IntN(4) == 0 {
		g.custom(e)
	}
}

func (g *generator) custom(e *loguro.Event) {
	e.Type, e.Title, e.Route, e.Status, e.Duration = event.Custom, "", "POST "+e.Path, 0, 0
	var props event.Props
	switch g.rand.IntN(4) {
	case 0:
		e.Name = "product_added"
		props = event.Props{"sku": fmt.Sprintf("SKU-%05d", g.rand.IntN(20_000)), "quantity": 1 + g.rand.IntN(3), "price": float64(g.rand.IntN(20_000)) / 100}
	case 1:
		e.Name = "subscription_upgraded"
		props = event.Props{"new_plan": "pro", "old_plan": "starter", "seats": g.rand.IntN(50)}
	case 2:
		e.Name = "search_filtered"
		props = event.Props{"filters": []string{pick(g, words), pick(g, words)}, "results": g.rand.IntN(900)}
	default:
		e.Name = "newsletter_joined"
		return
	}
	raw, err := props.Marshal()
	if err != nil {
		panic(err) // the props above are constant in kind
	}
	e.Props = raw
}

func (g *generator) newVisit() loguro.Event {
	place, agent, source := pick(g, places), pick(g, agents), pick(g, sources)
	v := loguro.Event{
		Type: event.Pageview, Visitor: g.randomID(), Session: g.randomID(),
		Country: place[0], Region: place[1], City: place[2], Language: place[3],
		Browser: agent[0], OS: agent[1], Device: agent[2],
		Channel: source.channel, ReferrerDomain: source.domain, Referrer: source.referrer,
		UTMSource: source.utm[0], UTMMedium: source.utm[1], UTMCampaign: source.utm[2],
		Returning: g.rand.IntN(3) == 0, Site: "shop",
	}
	if g.rand.IntN(4) == 0 {
		v.User = fmt.Sprintf("user_%d", g.rand.IntN(50_000))
	}
	return v
}

// randomID is a version 4 UUID from the generator's own numbers.
func (g *generator) randomID() (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:8], g.rand.Uint64())
	binary.BigEndian.PutUint64(id[8:], g.rand.Uint64())
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

// timeID is a version 7 UUID that grows with every call.
func (g *generator) timeID() uuid.UUID {
	id := g.randomID()
	g.serial = (g.serial + 1) & 0x0fff
	binary.BigEndian.PutUint64(id[:8], uint64(g.now)<<16|0x7000|uint64(g.serial))
	return id
}

func pick[T any](g *generator, of []T) T {
	return of[g.rand.IntN(len(of))]
}
