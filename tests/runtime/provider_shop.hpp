/// A shop whose channels call a fake provider, and Ada, who is its customer: for what the law and
/// providers ask of the whole service.
#pragma once

#include "runtime/service.hpp"
#include "tests/runtime/postgres_fixture.hpp"
#include "tests/support/fake_provider.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/signing_key.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>

namespace runtime::test {

inline constexpr auto mail = "ada.lovelace@example.com", phone = "+4915112345678",
                      name_of_ada = "Ada Lovelace";

/// Started. `Signed Up` sends her a mail by SendGrid, `Text Me` a text by Twilio, `Write Me` a mail
/// by Postmark, for which she must have opted in twice, and `Tell Me` something by Braze.
class ProviderShop {
public:
    ProviderShop();

    void start();

    RawClient::Answer ask(const std::string& method, const std::string& target,
                          const std::string& body = {}, const std::string& headers = {}) const;
    RawClient::Answer admin(const std::string& method, const std::string& target,
                            const std::string& body = {}) const;

    /// One message to the path of its type; the test fails where it is not taken.
    void message(nlohmann::json text) const;
    /// Ada's, with all that is known of her.
    void identify() const;
    void track(const std::string& event,
               const nlohmann::json& properties = nlohmann::json::object()) const;

    /// SendGrid's report, signed.
    RawClient::Answer report(const std::string& body) const;
    /// Ada's answer to a text, as Twilio passes it on.
    RawClient::Answer stop(const std::string& word) const;

    nlohmann::json timeline() const;
    /// Waits until `is_so` holds; false where it never does.
    static bool comes(const std::function<bool()>& is_so);
    /// Waits until Ada's timeline has such a line, with that in its reason.
    bool says(const std::string& kind, const std::string& reason) const;

    TemporaryFolder folder;
    support::FakeProvider provider;
    support::SigningKey key;
    std::unique_ptr<Service> service;

private:
    mutable int messages_ = 0;
};

/// Of a request that SendGrid was sent.
std::string intent_in(const std::string& body);

} // namespace runtime::test
