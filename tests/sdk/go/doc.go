// Package sdk holds the tests of Dapr's Go SDK as client and as app against our sidecar. See ../README.md.
package sdk
