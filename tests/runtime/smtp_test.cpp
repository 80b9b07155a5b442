/// Mail over the wire: the client against a mail server of ten lines on loopback.
#include "runtime/channels/http_client.hpp"
#include "runtime/channels/registry.hpp"
#include "tests/support/loopback.hpp"
#include "tests/support/messages.hpp"

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <string>
#include <thread>

using namespace runtime;
using namespace std::chrono_literals;
using namespace support;
using Kind = actors::ProviderOutcome::Kind;

namespace {

/// Takes one connection and speaks SMTP; `to_recipient` answers RCPT, `at_end` the mail's end
/// (empty: it hangs up instead).
class MailServer {
public:
    MailServer(std::string to_recipient, std::string at_end)
        : to_recipient_(std::move(to_recipient)), at_end_(std::move(at_end)) {
        thread_ = std::thread{[this] { serve(); }};
    }
    ~MailServer() {
        ::shutdown(listening_.socket, SHUT_RDWR);
        thread_.join();
        ::close(listening_.socket);
    }
    std::string url() const { return "smtp://127.0.0.1:" + std::to_string(listening_.port); }
    const std::string& envelope() const { return envelope_; }
    const std::string& mail() const { return mail_; }

private:
    void serve() {
        connection_ = ::accept(listening_.socket, nullptr, nullptr);
        if (connection_ < 0) return;
        say("220 mail.example ready");
        for (std::string line; read_line(line);) {
            if (line.starts_with("EHLO") || line.starts_with("HELO")) {
                say("250 mail.example");
            } else if (line.starts_with("MAIL FROM:")) {
                envelope_ += line + '\n';
                say("250 fine");
            } else if (line.starts_with("RCPT TO:")) {
                envelope_ += line + '\n';
                say(to_recipient_);
            } else if (line == "DATA") {
                say("354 go on");
                while (read_line(line) && line != ".") mail_ += line + "\r\n";
                if (at_end_.empty()) break;
                say(at_end_);
            } else if (line == "QUIT") {
                say("221 bye");
                break;
            } else {
                say("500 what?");
            }
        }
        ::close(connection_);
    }
    void say(std::string text) {
        text += "\r\n";
        (void)!::write(connection_, text.data(), text.size());
    }
    bool read_line(std::string& line) {
        std::size_t end;
        while ((end = buffer_.find("\r\n")) == std::string::npos) {
            char bytes[4096];
            const auto got = ::read(connection_, bytes, sizeof bytes);
            if (got <= 0) return false;
            buffer_.append(bytes, static_cast<std::size_t>(got));
        }
        line = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        return true;
    }

    ListeningSocket listening_ = listen_on_loopback(1);
    int connection_ = -1;
    std::string to_recipient_, at_end_, buffer_, envelope_, mail_;
    std::thread thread_;
};

struct Sent {
    Kind kind;
    std::string detail;
};

Sent send(const std::string& url, bool unencrypted = true) {
    auto settings = smtp();
    settings.url = url;
    settings.options.clear();
    if (unencrypted) settings.options["unencrypted"] = "true";
    settings.timeout = 3s;
    const auto provider = std::move(make_provider(settings)).value();
    auto mail = provider->prepare(rendered_mail(), std::chrono::sys_seconds{}).value();
    HttpClient client;
    std::promise<HttpResponse> answered;
    client.request(std::move(mail),
                   [&](HttpResponse response) { answered.set_value(std::move(response)); });
    const auto outcome = provider->classify(answered.get_future().get());
    return {outcome.kind, outcome.detail};
}

} // namespace

TEST_CASE("a mail goes over the wire, and the server's word is its outcome", "[smtp]") {
    SECTION("taken") {
        std::string envelope, mail;
        {
            MailServer server{"250 fine", "250 queued"};
            CHECK(send(server.url()).kind == Kind::accepted);
            envelope = server.envelope();
            mail = server.mail();
        }
        CHECK(envelope == "MAIL FROM:<shop@example.com>\nRCPT TO:<ada@example.com>\n");
        CHECK(mail.starts_with("Date: Fri, 20 Nov 2026 08:05:00 +0000\r\nFrom: "));
        CHECK(mail.find("\r\nContent-Type: multipart/alternative;") != std::string::npos);
    }
    SECTION("no such mailbox") {
        MailServer server{"550 no such user", "250 queued"};
        const auto sent = send(server.url());
        CHECK(sent.kind == Kind::rejected);
        CHECK(sent.detail == "SMTP 550");
    }
    SECTION("not now") {
        MailServer server{"451 try again later", "250 queued"};
        CHECK(send(server.url()).kind == Kind::retry);
    }
    SECTION("refused at its end") {
        MailServer server{"250 fine", "554 that is spam"};
        CHECK(send(server.url()).kind == Kind::rejected);
    }
    SECTION("the line breaks when all was given: nobody knows") {
        MailServer server{"250 fine", ""};
        CHECK(send(server.url()).kind == Kind::unknown);
    }
    SECTION("nobody listens: it has certainly not arrived") {
        CHECK(send("smtp://127.0.0.1:1").kind == Kind::retry);
    }
}

TEST_CASE("a server that offers no TLS gets no mail, unless that was allowed", "[smtp]") {
    MailServer server{"250 fine", "250 queued"};
    CHECK(send(server.url(), false).kind == Kind::retry);
    CHECK(server.envelope().empty());
}
