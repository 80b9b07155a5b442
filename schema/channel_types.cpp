#include "schema/channel_types.hpp"

namespace schema {

const std::vector<ChannelType>& channel_types() {
    using Form = ChannelKey::Form;
    static const std::vector<ChannelType> types{
        {.name = "sandbox", .keys = {}, .deduplicates = true, .renders = true},
        {.name = "webhook",
         .keys = {{"url", Form::url, true, "where to call: https://…"},
                  {"secret", Form::secret, true,
                   "whsec_ and base64, by which the receiver checks the signature"}}},
        {.name = "sendgrid",
         .keys = {{"key", Form::secret, true, "the API key, SG.…"},
                  {"url", Form::url, false, "https://api.eu.sendgrid.com for the EU"},
                  {"feedback_key", Form::secret, false, "the event webhook's verification key"},
                  {"unsubscribe_group", Form::whole_number, false, "the id of a group"},
                  {"test_mode", Form::flag, false, "true: checked and not sent"}},
         .renders = true,
         .needs_from = true},
        {.name = "twilio",
         .keys = {{"account_sid", Form::text, true, "AC…"},
                  {"auth_token", Form::secret, true, "the account's token; it signs reports, too"},
                  {"key_sid", Form::text, false, "SK…, of an API key instead of the token"},
                  {"key", Form::secret, false, "the API key's secret"},
                  {"messaging_service", Form::text, false, "MG…, instead of from"},
                  {"whatsapp", Form::flag, false, "true: the numbers are WhatsApp's"},
                  {"url", Form::url, false, "of another region"}},
         .renders = true},
        {.name = "klaviyo",
         .keys = {{"key", Form::secret, true, "a private key, pk_…"},
                  {"revision", Form::text, false, "of the API, as a date"},
                  {"calls", Form::text, false, "event, or profile: what a journey's call becomes"},
                  {"feedback_key", Form::secret, false, "the webhook's secret"},
                  {"url", Form::url, false, "of the API"}},
         .deduplicates = true},
        {.name = "braze",
         .keys = {{"key", Form::secret, true, "a REST key"},
                  {"url", Form::url, true, "of your cluster: https://rest.fra-01.braze.eu"},
                  {"feedback_key", Form::secret, false, "the bearer token of Currents"}}},
        {.name = "smtp",
         .keys = {{"url", Form::url, true, "smtps://mail.example or smtp://mail.example:587"},
                  {"user", Form::text, false, "who logs in"},
                  {"password", Form::secret, false, "of the user"},
                  {"unencrypted", Form::flag, false,
                   "true: TLS is not insisted on; for a server on the same machine only"}},
         .renders = true,
         .needs_from = true},
        {.name = "postmark",
         .keys = {{"key", Form::secret, true, "a server token"},
                  {"stream", Form::text, false, "else broadcast, and outbound if transactional"},
                  {"feedback_key", Form::secret, false, "name:password of the webhook"},
                  {"url", Form::url, false, "of the API"}},
         .renders = true,
         .needs_from = true},
        {.name = "mailgun",
         .keys = {{"key", Form::secret, true, "an API key"},
                  {"domain", Form::text, true, "whence mail is sent: mg.example.com"},
                  {"url", Form::url, false, "https://api.eu.mailgun.net for the EU"},
                  {"feedback_key", Form::secret, false, "the webhooks' signing key"},
                  {"test_mode", Form::flag, false, "true: checked and not sent"}},
         .renders = true,
         .needs_from = true}};
    return types;
}

const ChannelType* find_channel_type(std::string_view name) {
    for (const auto& type : channel_types())
        if (type.name == name) return &type;
    return nullptr;
}

} // namespace schema
