#include "journeys/payload.hpp"

#include "journeys/links.hpp"
#include "journeys/local_time.hpp"

namespace journeys {
namespace {

void member(std::string& out, std::string_view name, std::string_view text) {
    if (text.empty()) return;
    out += out.back() == '{' ? "" : ",";
    append_json_string(out, name);
    out.push_back(':');
    append_json_string(out, text);
}

} // namespace

std::string to_json(const Payload& payload) {
    std::string out = "{";
    member(out, "intent", to_text(payload.intent));
    member(out, "customer", display(payload.customer.id));
    member(out, "journey", payload.run.journey);
    member(out, "version", version_text(payload.run.version));
    member(out, "key", payload.run.key);
    member(out, "step", payload.step.path);
    member(out, "channel", payload.send.channel);
    member(out, "template", payload.send.template_name);
    member(out, "topic", payload.send.topic);
    if (!payload.send.is_call)
        member(out, "purpose",
               payload.send.purpose == Purpose::marketing ? "marketing" : "transactional");
    member(out, "from", payload.send.from);
    member(out, "locale", payload.customer.locale);
    member(out, "at", to_text(payload.at));
    out += ",\"data\":";
    if (payload.data.is_map())
        append_json(out, payload.data);
    else
        out += "{}";
    if (!payload.send.is_call) {
        out += ",\"links\":{";
        member(out, "unsubscribe", links::unsubscribe);
        member(out, "preferences", links::preferences);
        member(out, "confirm", links::confirm);
        out.push_back('}');
    }
    if (payload.rendered) {
        out += ",\"message\":{";
        member(out, "subject", payload.rendered->subject);
        member(out, "preheader", payload.rendered->preheader);
        member(out, "body", payload.rendered->body);
        out.push_back('}');
    }
    out.push_back('}');
    return out;
}

} // namespace journeys
