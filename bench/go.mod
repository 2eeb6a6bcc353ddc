module github.com/loguro/loguro/bench

go 1.26

replace github.com/loguro/loguro => ../

require (
	github.com/google/uuid v1.6.0
	github.com/loguro/loguro v0.0.0
	github.com/posthog/posthog-go v1.23.1
	github.com/segmentio/analytics-go/v3 v3.3.0
)

require (
	github.com/andybalholm/brotli v1.1.1 // indirect
	github.com/bmizerany/assert v0.0.0-20160611221934-b7ed37b82869 // indirect
	github.com/goccy/go-json v0.10.6 // indirect
	github.com/gorilla/securecookie v1.1.2 // indirect
	github.com/hashicorp/golang-lru/v2 v2.0.7 // indirect
	github.com/klauspost/compress v1.17.11 // indirect
	github.com/kr/pretty v0.3.1 // indirect
	github.com/segmentio/backo-go v1.0.0 // indirect
	golang.org/x/sys v0.38.0 // indirect
)
