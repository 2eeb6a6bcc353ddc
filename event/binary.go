package event

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/google/uuid"
)

// The binary form holds the fields that are not empty, each as a tag and a value. The tag's lowest bit tells how long
// the value is, so that a reader passes over fields that a later version added:
//
//	tag = number<<1     a varint (zigzag) follows
//	tag = number<<1 | 1 a length (uvarint) and so many bytes follow
//
// Numbers are for good: a field that goes takes its number along.
const (
	tagID = iota + 1
	tagType
	tagName
	tagURL
	tagPath
	tagVisitor
	tagSession
	tagUser
	tagProps
	tagTime
	tagReferrer
	tagTitle
	tagRoute
	tagStatus
	tagDuration
	tagCountry
	tagRegion
	tagCity
	tagBrowser
	tagOS
	tagDevice
	tagLanguage
	tagChannel
	tagReferrerDomain
	tagUTMSource
	tagUTMMedium
	tagUTMCampaign
	tagUTMTerm
	tagUTMContent
	tagReturning
	tagBot
	tagSite
)

var errBinary = errors.New("parse event: the binary form is cut or malformed")

type textField struct {
	tag  byte
	text *string
}

// texts are the string fields with their tags, in the order in which they are written.
func (e *Event) texts() [23]textField {
	return [23]textField{
		{tagName, &e.Name}, {tagURL, &e.URL}, {tagPath, &e.Path}, {tagUser, &e.User}, {tagReferrer, &e.Referrer},
		{tagTitle, &e.Title}, {tagRoute, &e.Route}, {tagCountry, &e.Country}, {tagRegion, &e.Region}, {tagCity, &e.City},
		{tagBrowser, &e.Browser}, {tagOS, &e.OS}, {tagDevice, &e.Device}, {tagLanguage, &e.Language},
		{tagChannel, &e.Channel}, {tagReferrerDomain, &e.ReferrerDomain}, {tagUTMSource, &e.UTMSource},
		{tagUTMMedium, &e.UTMMedium}, {tagUTMCampaign, &e.UTMCampaign}, {tagUTMTerm, &e.UTMTerm},
		{tagUTMContent, &e.UTMContent}, {tagBot, &e.Bot}, {tagSite, &e.Site},
	}
}

// AppendBinary appends the event in a compact form that keeps every byte of it, unlike JSON, which holds valid UTF-8
// only. The error is always nil; it is there for [encoding.BinaryAppender].
func (e *Event) AppendBinary(b []byte) ([]byte, error) {
	b = appendID(b, tagID, e.ID)
	b = appendText(b, tagType, string(e.Type))
	b = appendID(b, tagVisitor, e.Visitor)
	b = appendID(b, tagSession, e.Session)
	b = appendNumber(b, tagTime, e.Time)
	b = appendNumber(b, tagStatus, int64(e.Status))
	b = appendNumber(b, tagDuration, e.Duration)
	if e.Returning {
		b = appendNumber(b, tagReturning, 1)
	}
	for _, f := range e.texts() {
		b = appendText(b, f.tag, *f.text)
	}
	if len(e.Props) > 0 {
		b = binary.AppendUvarint(append(b, tagProps<<1|1), uint64(len(e.Props)))
		b = append(b, e.Props...)
	}
	return b, nil
}

func appendText(b []byte, tag byte, s string) []byte {
	if s == "" {
		return b
	}
	return append(binary.AppendUvarint(append(b, tag<<1|1), uint64(len(s))), s...)
}

func appendID(b []byte, tag byte, id uuid.UUID) []byte {
	if id == uuid.Nil {
		return b
	}
	return append(append(b, tag<<1|1, byte(len(id))), id[:]...)
}

func appendNumber(b []byte, tag byte, n int64) []byte {
	if n == 0 {
		return b
	}
	return binary.AppendVarint(append(b, tag<<1), n)
}

// UnmarshalBinary reads what AppendBinary wrote. It keeps nothing of data.
func (e *Event) UnmarshalBinary(data []byte) error {
	*e = Event{}
	text := string(data) // once; the fields are parts of it
	for at := 0; at < len(text); {
		tag := text[at]
		at++
		if tag&1 == 0 {
			n, size := binary.Varint(data[at:])
			if size <= 0 {
				return errBinary
			}
			at += size
			e.setNumber(tag>>1, n)
			continue
		}
		n, size := binary.Uvarint(data[at:])
		if size <= 0 || n > math.MaxInt32 || int(n) > len(data)-at-size {
			return errBinary
		}
		at += size
		if !e.setBytes(tag>>1, text[at:at+int(n)]) {
			return errBinary
		}
		at += int(n)
	}
	return nil
}

func (e *Event) setNumber(tag byte, n int64) {
	switch tag {
	case tagTime:
		e.Time = n
	case tagStatus:
		e.Status = int(n)
	case tagDuration:
		e.Duration = n
	case tagReturning:
		e.Returning = n != 0
	}
}

// setBytes is false if the value cannot be one of the field.
func (e *Event) setBytes(tag byte, s string) bool {
	switch tag {
	case tagID:
		return copy(e.ID[:], s) == len(s) && len(s) == len(e.ID)
	case tagVisitor:
		return copy(e.Visitor[:], s) == len(s) && len(s) == len(e.Visitor)
	case tagSession:
		return copy(e.Session[:], s) == len(s) && len(s) == len(e.Session)
	case tagType:
		e.Type = Type(s)
	case tagProps:
		if s != "" {
			e.Props = []byte(s)
		}
	default:
		for _, f := range e.texts() {
			if f.tag == tag {
				*f.text = s
			}
		}
	}
	return true
}
