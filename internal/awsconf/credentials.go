package awsconf

import (
	"errors"
	"os/exec"
	"strings"

	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
)

// CredentialsFault says in one line why there are no credentials, and what to do. It repeats
// nothing of the error's text, since what a credential_process prints may be a secret.
func CredentialsFault(err error) string {
	var process *processcreds.ProviderError
	var session *ssocreds.InvalidTokenError
	var operation *smithy.OperationError
	var api smithy.APIError
	code := "it did not answer"
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	switch {
	case errors.As(err, &process):
		return "the credential_process of the AWS profile failed: " + processFault(process)
	case errors.As(err, &session):
		return "the SSO session of the AWS profile has expired or is missing; run aws sso login"
	case strings.Contains(err.Error(), "failed to load credentials"): // it has no type
		return "the endpoint of AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI gave no credentials (" + code + ")"
	case errors.As(err, &operation) && strings.HasPrefix(operation.Service(), "SSO"):
		return "AWS SSO gave no credentials (" + operation.Operation() + ": " + code + "); run aws sso login"
	case errors.As(err, &operation) && operation.Service() == "STS":
		return "AWS STS gave no credentials (" + operation.Operation() + ": " + code + "); check the role of the AWS profile or of AWS_ROLE_ARN, and who may assume it"
	case strings.Contains(err.Error(), "failed to retrieve jwt"): // it has no type
		return "the file of AWS_WEB_IDENTITY_TOKEN_FILE, or of the AWS profile's web_identity_token_file, cannot be read"
	}
	return "no AWS credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the machine a role"
}

// CredentialsCause is the error for the log. The error of a credential_process may hold what
// the program printed, and is replaced.
func CredentialsCause(err error) error {
	var process *processcreds.ProviderError
	if errors.As(err, &process) {
		return errors.New("credential_process: " + processFault(process))
	}
	return err
}

// processFault says how a program failed that gives credentials.
func processFault(err error) string {
	var exit *exec.ExitError
	switch text := err.Error(); {
	case errors.As(err, &exit):
		return exit.String() + "; run its command by hand to see why"
	case strings.Contains(text, "timed out"):
		return "it ran for too long"
	case strings.Contains(text, "missing "), strings.Contains(text, "parse failed"), strings.Contains(text, "wrong version"):
		return "its output is not JSON with Version 1, AccessKeyId and SecretAccessKey"
	case strings.Contains(text, "expired"):
		return "it gave credentials that have expired"
	}
	return "it cannot be started"
}
