package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// size is a number of bytes for people.
func size(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, units := float64(n)/(1<<10), "KMGTPE"
	for value >= 1023.95 { // or it would be rounded to 1024.0
		value /= 1 << 10
		units = units[1:]
	}
	return fmt.Sprintf("%.1f %ciB", value, units[0])
}

// age is how long ago that was, in the largest unit of which there are some.
func age(since, now time.Time) string {
	d := max(now.Sub(since), 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// count is a number with its noun, whose plural ends in s, or in es after ch and ss.
func count[N int | int64 | uint64](n N, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "ch"), strings.HasSuffix(noun, "ss"):
		noun += "e"
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// line makes one line of a text from outside, without what would steer a terminal, and cuts it.
func line(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, s)
	if runes := []rune(s); limit > 0 && len(runes) > limit {
		s = string(runes[:limit-1]) + "…"
	}
	return s
}
