/// Any mail server, by SMTP (RFC 5321) over TLS, so that a shop without a provider can start. The
/// message is RFC 5322 with MIME (2045 to 2047): a text part, and an HTML part where the template
/// is HTML; List-Unsubscribe and one click by RFC 8058.
///
/// A server answers each mail, so an outcome is known; it stays unknown only where the line broke
/// after the whole mail was given. The Message-ID is made of the intent, the same over attempts.
#include "runtime/base64.hpp"
#include "runtime/channels/message.hpp"
#include "runtime/channels/registry.hpp"

#include "journeys/local_time.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace runtime {
namespace {

using Kind = actors::ProviderOutcome::Kind;

constexpr std::size_t encoded_line_max = 76;

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

/// Nothing of a value may end its header.
std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : text) out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    return out;
}

/// RFC 2047, in words of at most 75 characters that cut no character of UTF-8.
std::string header_text(std::string_view text) {
    auto line = one_line(text);
    if (is_ascii(line)) return line;
    constexpr std::size_t word_bytes_max = 45;
    std::string out;
    for (std::size_t at = 0; at < line.size();) {
        auto end = std::min(line.size(), at + word_bytes_max);
        while (end < line.size() && end > at + 1 &&
               (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80)
            --end;
        out += (out.empty() ? "=?utf-8?B?" : "\r\n =?utf-8?B?") +
               to_base64(std::string_view{line}.substr(at, end - at)) + "?=";
        at = end;
    }
    return out;
}

std::string mailbox_text(const Mailbox& mailbox) {
    if (mailbox.name.empty()) return mailbox.address;
    auto name = header_text(mailbox.name);
    if (is_ascii(mailbox.name)) {
        std::erase(name, '"');
        std::erase(name, '\\');
        name = '"' + name + '"';
    }
    return name + " <" + mailbox.address + '>';
}

std::string part(std::string_view type, std::string_view text) {
    std::string out = "Content-Type: " + std::string{type} +
                      "; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    const auto encoded = to_base64(text);
    for (std::size_t at = 0; at < encoded.size(); at += encoded_line_max)
        out += encoded.substr(at, encoded_line_max) + "\r\n";
    return out;
}

/// RFC 5322 3.3, in UTC. From the message and not from a clock: every attempt has the same bytes.
std::string date_text(const std::string& at) {
    static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto when = journeys::parse_timestamp(at).value_or(journeys::Timestamp{});
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(when - day)};
    char text[64];
    std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d +0000",
                  days[std::chrono::weekday{day}.c_encoding()], static_cast<unsigned>(date.day()),
                  months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                  static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()));
    return text;
}

class Smtp final : public Provider {
public:
    explicit Smtp(ProviderSettings settings) : settings_(std::move(settings)) {}

    journeys::Result<HttpRequest> prepare(const actors::ProviderRequest& request,
                                          std::chrono::sys_seconds) const override {
        const auto message = read_message(request);
        if (!message) return message.error();
        if (!message->rendered)
            return journeys::Error{journeys::ErrorCode::invalid_argument,
                                   "there is no template " + message->template_name + " to render"};
        const auto sender = parse_mailbox(message->from.empty() ? settings_.from : message->from);
        const auto domain = sender.address.substr(sender.address.find('@') + 1);
        const auto& body = message->rendered->body;
        HttpRequest mail;
        mail.url = settings_.url;
        mail.mail_from = one_line(sender.address);
        mail.mail_to = one_line(request.address);
        mail.timeout = settings_.timeout;
        mail.must_encrypt = settings_.option("unencrypted") != "true";
        if (const auto& user = settings_.option("user"); !user.empty())
            mail.user = user + ':' + settings_.option("password");
        auto& out = mail.body;
        const auto header = [&](std::string_view name, const std::string& value) {
            out += std::string{name} + ": " + value + "\r\n";
        };
        header("Date", date_text(message->at));
        header("From", mailbox_text(sender));
        header("To", one_line(request.address));
        header("Subject", header_text(message->rendered->subject));
        header("Message-ID", '<' + message->intent + "@" + one_line(domain) + '>');
        header("X-Sojourn-Intent", message->intent);
        if (message->is_marketing && !message->unsubscribe_url.empty()) {
            header("List-Unsubscribe", '<' + message->unsubscribe_url + '>');
            header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
        }
        header("MIME-Version", "1.0");
        if (!is_html(body)) {
            out += part("text/plain", body);
            return mail;
        }
        const auto boundary = "sojourn-" + message->intent;
        header("Content-Type", "multipart/alternative; boundary=\"" + boundary + '"');
        out += "\r\n--" + boundary + "\r\n" + part("text/plain", plain_text(body)) + "--" +
               boundary + "\r\n" + part("text/html", body) + "--" + boundary + "--\r\n";
        return mail;
    }

    /// 4xx of SMTP is passing and 5xx is final (RFC 5321, 4.2.1); 530, 534, 535 and 538 are about
    /// our own login.
    actors::ProviderOutcome classify(const HttpResponse& response) const override {
        actors::ProviderOutcome outcome;
        const auto status = response.status;
        if (status == 0) {
            outcome.kind = response.may_have_arrived ? Kind::unknown : Kind::retry;
            outcome.detail = response.error;
            return outcome;
        }
        outcome.detail = "SMTP " + std::to_string(status);
        if (status >= 200 && status < 300)
            outcome.kind = Kind::accepted;
        else if (status < 500 || status == 530 || status == 534 || status == 535 || status == 538)
            outcome.kind = Kind::retry;
        else
            outcome.kind = Kind::rejected;
        return outcome;
    }

    std::optional<Report> revealed(const HttpResponse& response) const override {
        // 550, 551 and 553 name the mailbox; other refusals may be about us.
        if (response.status != 550 && response.status != 551 && response.status != 553)
            return std::nullopt;
        Report report;
        report.kind = journeys::FeedbackKind::bounced;
        // A server also says 550 to a sender that it does not like, so one alone is not the end.
        report.permanent = false;
        report.detail = "SMTP " + std::to_string(response.status);
        return report;
    }

private:
    ProviderSettings settings_;
};

} // namespace

std::unique_ptr<Provider> make_smtp(ProviderSettings settings) {
    return std::make_unique<Smtp>(std::move(settings));
}

} // namespace runtime
