/// A listener on a free port, with a log that the test holds in its hands.
#pragma once

#include "runtime/listener/listener.hpp"
#include "tests/support/fake_log.hpp"
#include "tests/support/raw_client.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>

/// A message as producers send it.
std::string track(const std::string& message_id, const std::string& user = "ada");

class ListenerFixture {
public:
    ListenerFixture();
    ~ListenerFixture();

    /// Opens the listener with `config` and `handlers`; done by the first `connect` otherwise.
    void open();
    RawClient connect();
    /// A WebSocket that is open.
    RawClient stream();
    /// One request, with a body and its length; and the answer to it.
    RawClient::Answer post(std::string_view path, std::string_view body,
                           std::string_view headers = "Authorization: Basic c2hvcC1rZXk6\r\n");
    RawClient::Answer request(std::string_view method, std::string_view target,
                              std::string_view headers = {});

    std::vector<runtime::RejectedMessage> rejects();
    /// Makes `/readyz` say no.
    void set_not_ready(std::string why);

    FakeLog log;
    actors::Credit credit{4, {.total = 1000, .partition = 1000, .customer = 1000}};
    runtime::ListenerConfig config;
    runtime::Handlers handlers;
    decltype(runtime::ListenerPorts::privacy) privacy;
    bool echoes = false;
    std::unique_ptr<runtime::Listener> listener;

private:
    std::mutex mutex_;
    std::vector<runtime::RejectedMessage> rejects_;
    std::string not_ready_;
};
