package auth

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// reviews are the audiences to review a token for, one after the other until one accepts it; nil is the API server's own.
// What a JSON web token claims tells which, and saves the review that would fail. It is read before anybody has verified it:
// that is the API server's work, which a false claim does not change.
func reviews(token string) [][]string {
	ours := []string{Audience}
	switch claimed, ok := claimedAudiences(token); {
	case !ok: // only the cluster knows what it is
		return [][]string{nil, ours}
	case slices.Contains(claimed, Audience):
		return [][]string{ours, nil} // the second, since an issuer that the API server trusts may use that name too
	}
	return [][]string{nil}
}

// claimedAudiences reads the claim aud, which may be missing. ok says whether the token is a JSON web token.
func claimedAudiences(token string) (audiences []string, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, false
	}
	var claims struct {
		Audience json.RawMessage `json:"aud"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, false
	}
	var one string
	if json.Unmarshal(claims.Audience, &one) == nil {
		return []string{one}, true
	}
	if len(claims.Audience) > 0 && json.Unmarshal(claims.Audience, &audiences) != nil {
		return nil, false
	}
	return audiences, true
}
