package loguro

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/loguro/loguro/identity"
	"github.com/loguro/loguro/internal/pipeline"
	"github.com/loguro/loguro/middleware"
)

// Config is what an application decides. Exporter and Keys are required; every other zero value is the safe default.
type Config struct {
	// Exporter makes batches of events durable: parquetexporter, or your own. Required.
	Exporter Exporter

	// Keys sign the cookies: secrets of 32 bytes or more, the same on every process of the site. The first signs, all
	// verify. To change the key, put the new one first, and drop the old one when those who have not come by since may
	// be lost: each visit makes the new key vouch for its visitor. Required.
	Keys [][]byte

	// Domain lets all subdomains of a site share their visitors: ".acme.com". Set it when one product spans several
	// hosts. A change of it starts every browser as a new visitor. Defaults to "", this origin only.
	Domain string

	// CookiePrefix stands before the names loguro_v, loguro_s, loguro_u, loguro_n and loguro_f. Set "__Host-" for the strictest
	// browser rules, or a name of your own where several trackers share a domain. Defaults to "".
	CookiePrefix string

	// AllowHTTP leaves Secure out of the cookies. Set it for development on plain HTTP.
	// Defaults to false: browsers return the cookies over HTTPS only.
	AllowHTTP bool

	// Storage says where a visitor is kept. Set StorageMemory to read and write no cookie at all.
	// Defaults to StorageCookie.
	Storage Storage

	// PersistUser keeps the user of Identify in an encrypted cookie until Reset. Set it if the application itself
	// cannot tell who a request belongs to; with User set it would be ignored, and is refused.
	// Defaults to false: the user lasts as long as the request.
	PersistUser bool

	// RenewVisitor starts the visitor's year anew with each session. Set it if returning visitors must not expire; for
	// five minutes after Reset the cookie loguro_f then keeps late responses from bringing a forgotten visitor back.
	// Defaults to false: fixed from its making.
	RenewVisitor bool

	// VisitorMaxAge is how long a browser is recognised. Set it lower if your privacy notice says so; browsers cap it
	// at 400 days (RFC 6265bis). Defaults to 365 days.
	VisitorMaxAge time.Duration

	// SessionTimeout is the gap between two events that ends a session. Defaults to 30 minutes.
	SessionTimeout time.Duration

	// User answers who a request belongs to, from the application's own authentication; "" means nobody. It is called
	// at most once per request, and only if an event needs it, with the request as Handler got it: wrap Handler inside
	// the session middleware that User asks, and do not read the body, which is the handler's. The same holds for
	// Consent and Skip. Defaults to nil: only Identify says.
	User func(*http.Request) string

	// Consent answers what the visitor allowed. Where it takes back an earlier consent, the cookies are deleted.
	// Defaults to nil: ConsentGranted.
	Consent func(*http.Request) Consent

	// Skip answers true for requests of which nothing is recorded, such as those of administrators. Defaults to nil.
	Skip func(*http.Request) bool

	// RespectDNT and RespectGPC treat the headers DNT: 1 and Sec-GPC: 1 as denied consent. Default to false.
	RespectDNT, RespectGPC bool

	// TrustedProxies are the addresses of your own proxies: only from these are X-Forwarded-Proto and
	// X-Forwarded-Host believed. Set it behind a load balancer that ends TLS. Defaults to nil: nobody.
	TrustedProxies []netip.Prefix

	// BatchSize is how many events make a batch. Defaults to what the exporter asks for, else 10,000.
	BatchSize int

	// FlushInterval is the longest time that a batch stays open after its first event, while the exporter keeps up.
	// Without Spool it is also what a crash can take. Defaults to what the exporter asks for, else 10 seconds.
	FlushInterval time.Duration

	// ExportTimeout bounds one attempt of the exporter. Defaults to 30 seconds.
	ExportTimeout time.Duration

	// Spool is a directory on a local disk that keeps events until they are delivered: they survive the process, an
	// outage of the store and a deploy. Set it in production. Processes may share it, and each takes over what dead ones
	// left. New makes it, readable by its own user only. Defaults to "": events wait in memory, and a crash loses them.
	Spool string

	// SpoolMaxBytes bounds what this process keeps in Spool, dead letters included; beyond it Track returns
	// ErrSpoolFull. Set it to what the disk can spare. Defaults to 1 GiB, some 4 million events.
	SpoolMaxBytes int64

	// SpoolSyncInterval is the longest time that an event in Spool is not on the disk itself, which is what a power cut
	// can take; a crash of the process takes nothing. Defaults to 1 second.
	SpoolSyncInterval time.Duration

	// MemoryMaxBytes bounds the events that wait in memory. With Spool, batches beyond it wait on disk alone, and what
	// an exporter works on may come on top; without, Track returns ErrSpoolFull. Defaults to 256 MiB, some 350,000 events.
	MemoryMaxBytes int

	// Logger gets what the background work has to say: failing exports and disks, refused events. Defaults to slog.Default().
	Logger *slog.Logger

	// Debug adds the header Loguro-Excluded to responses that were not counted as a pageview, with the reason.
	// Defaults to false.
	Debug bool
}

// Storage says where a visitor is kept.
type Storage int

const (
	// StorageCookie keeps the visitor in signed, HttpOnly cookies.
	StorageCookie Storage = iota
	// StorageMemory sets and reads no cookie: each page load is a visitor of its own.
	StorageMemory
)

// Consent is what a visitor allowed.
type Consent = middleware.Consent

const (
	// ConsentGranted counts, recognises and remembers the visitor. It is the default.
	ConsentGranted = middleware.ConsentGranted
	// ConsentAnonymous counts with ids of this request alone: no user, no cookies, and those of before are deleted.
	ConsentAnonymous = middleware.ConsentAnonymous
	// ConsentDenied records nothing, and deletes the cookies of before.
	ConsentDenied = middleware.ConsentDenied
)

// Defaults, where neither Config nor the exporter says otherwise.
const (
	defaultVisitorMaxAge     = 365 * 24 * time.Hour
	defaultSessionTimeout    = 30 * time.Minute
	defaultBatchEvents       = 10_000
	defaultBatchBytes        = 8 << 20
	defaultFlushInterval     = 10 * time.Second
	defaultExportTimeout     = 30 * time.Second
	defaultMemoryMaxBytes    = 256 << 20
	defaultSpoolMaxBytes     = 1 << 30
	defaultSpoolSyncInterval = time.Second
)

// withDefaults fills in what was left zero, and says how many bytes a batch may hold.
func (c Config) withDefaults() (_ Config, batchBytes int) {
	wish := BatchLimits{}
	if limiter, ok := c.Exporter.(BatchLimiter); ok {
		wish = limiter.BatchLimits()
	}
	c.VisitorMaxAge = cmp.Or(c.VisitorMaxAge, defaultVisitorMaxAge)
	c.SessionTimeout = cmp.Or(c.SessionTimeout, defaultSessionTimeout)
	c.BatchSize = cmp.Or(c.BatchSize, wish.Events, defaultBatchEvents)
	c.FlushInterval = cmp.Or(c.FlushInterval, wish.Age, defaultFlushInterval)
	c.ExportTimeout = cmp.Or(c.ExportTimeout, defaultExportTimeout)
	c.MemoryMaxBytes = cmp.Or(c.MemoryMaxBytes, defaultMemoryMaxBytes)
	c.SpoolMaxBytes = cmp.Or(c.SpoolMaxBytes, defaultSpoolMaxBytes)
	c.SpoolSyncInterval = cmp.Or(c.SpoolSyncInterval, defaultSpoolSyncInterval)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	// A batch under way must leave room for those that wait behind a failing exporter.
	return c, min(cmp.Or(wish.Bytes, defaultBatchBytes), max(c.MemoryMaxBytes/4, 1))
}

// validate names every field that cannot be, with its value; issuer checks those of the cookies.
func (c Config) validate() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Exporter == nil {
		complain("Exporter is nil; give one, such as parquetexporter.New")
	}
	lanes := lanesOf(c.Exporter)
	if len(lanes) == 0 {
		complain("Exporter is a Tee of no exporters; give it one")
	}
	for i, l := range lanes {
		if c.Exporter != nil && l.exporter == nil {
			complain("Exporter is a Tee whose exporter %d is nil", i)
		}
	}
	if c.Spool == "" && (c.SpoolMaxBytes != 0 || c.SpoolSyncInterval != 0) {
		complain("SpoolMaxBytes is %d and SpoolSyncInterval %v, but Spool is empty; name a directory, or drop them", c.SpoolMaxBytes, c.SpoolSyncInterval)
	}
	if c.Storage != StorageCookie && c.Storage != StorageMemory {
		complain("Storage is %d, want StorageCookie or StorageMemory", c.Storage)
	}
	if c.PersistUser && c.User != nil {
		complain("PersistUser and User are both set, but with User the cookie is never asked; drop one of the two")
	}
	if c.PersistUser && c.Storage == StorageMemory {
		complain("PersistUser needs a cookie, but Storage is StorageMemory; drop one of the two")
	}
	for i, prefix := range c.TrustedProxies {
		if !prefix.IsValid() {
			complain("TrustedProxies[%d] is %v; use netip.ParsePrefix", i, prefix)
		}
	}
	for _, n := range []struct {
		field string
		value int64
	}{
		{"VisitorMaxAge", int64(c.VisitorMaxAge)}, {"SessionTimeout", int64(c.SessionTimeout)},
		{"BatchSize", int64(c.BatchSize)}, {"FlushInterval", int64(c.FlushInterval)},
		{"ExportTimeout", int64(c.ExportTimeout)}, {"MemoryMaxBytes", int64(c.MemoryMaxBytes)},
		{"SpoolMaxBytes", c.SpoolMaxBytes}, {"SpoolSyncInterval", int64(c.SpoolSyncInterval)},
	} {
		if n.value < 0 {
			complain("%s is %d, want 0 for the default or more", n.field, n.value)
		}
	}
	return errors.Join(errs...)
}

func (c Config) policy() identity.Policy {
	return identity.Policy{
		Keys: c.Keys, CookiePrefix: c.CookiePrefix, Domain: c.Domain, AllowHTTP: c.AllowHTTP,
		PersistUser: c.PersistUser, RenewVisitor: c.RenewVisitor,
		VisitorMaxAge: c.VisitorMaxAge, SessionTimeout: c.SessionTimeout,
	}
}

func (c Config) pipeline(batchBytes int) pipeline.Config {
	p := pipeline.Config{
		BatchEvents: c.BatchSize, BatchBytes: batchBytes, BatchAge: c.FlushInterval, MemoryBytes: c.MemoryMaxBytes,
		ExportTimeout: c.ExportTimeout, Logger: c.Logger,
		Spool: c.Spool, SpoolBytes: c.SpoolMaxBytes, SyncInterval: c.SpoolSyncInterval,
	}
	for _, l := range lanesOf(c.Exporter) {
		p.Exporters = append(p.Exporters, pipeline.Exporter{Name: l.name, Export: l.exporter.Export})
	}
	return p
}

func (c Config) middleware(issuer *identity.Issuer, recorder middleware.Recorder, failed func(string, any)) middleware.Options {
	return middleware.Options{
		Issuer: issuer, Recorder: recorder, HookFailed: failed,
		Ephemeral: c.Storage == StorageMemory,
		User:      c.User, Consent: c.Consent, Skip: c.Skip, RespectDNT: c.RespectDNT, RespectGPC: c.RespectGPC,
		TrustedProxies: c.TrustedProxies, Debug: c.Debug,
	}
}
