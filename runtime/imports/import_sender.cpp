#include "runtime/imports/import_sender.hpp"

#include "runtime/listener/local_socket.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

ImportSender::ImportSender(std::filesystem::path socket,
                           std::function<void(std::uint64_t, const std::string&)> rejected,
                           std::string path, std::string_view list)
    : socket_(std::move(socket)), rejected_(std::move(rejected)), path_(std::move(path)),
      list_(list) {
    if (!socket_.empty()) thread_ = std::thread{[this] { run(); }};
}

ImportSender::~ImportSender() {
    if (!thread_.joinable()) return;
    {
        const std::scoped_lock lock{mutex_};
        is_last_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

bool ImportSender::add(std::uint64_t line, std::string_view messages, std::size_t count,
                       std::string_view suppression) {
    if (socket_.empty()) return true;
    if (gathering_.lines.size() + count > messages_max ||
        gathering_.body.size() + messages.size() > bytes_max)
        hand_over();
    gathering_.body += messages;
    gathering_.lines.insert(gathering_.lines.end(), count, line);
    if (!suppression.empty()) gathering_.suppressions.append(suppression) += ',';
    tell();
    const std::scoped_lock lock{mutex_};
    return !failure_;
}

void ImportSender::hand_over() {
    if (gathering_.lines.empty()) return;
    gathering_.body.back() = ']'; // Instead of the last comma.
    gathering_.body += '}';
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return !waiting_ || failure_; });
    waiting_ = std::exchange(gathering_, empty());
    changed_.notify_all();
}

void ImportSender::tell() {
    std::vector<Refused> refused;
    {
        const std::scoped_lock lock{mutex_};
        refused.swap(refused_);
    }
    for (const auto& one : refused) rejected_(one.line, one.why);
}

Result<void> ImportSender::finish() {
    if (socket_.empty()) return {};
    hand_over();
    {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return (!waiting_ && !is_sending_) || failure_; });
    }
    tell();
    const std::scoped_lock lock{mutex_};
    if (failure_) return *failure_;
    return {};
}

void ImportSender::run() {
    std::unique_lock lock{mutex_};
    while (true) {
        changed_.wait(lock, [this] { return waiting_ || is_last_; });
        if (!waiting_ || failure_) return;
        const auto request = *std::exchange(waiting_, std::nullopt);
        is_sending_ = true;
        changed_.notify_all();
        lock.unlock();
        auto sent = send(request);
        lock.lock();
        is_sending_ = false;
        if (!sent) failure_ = std::move(sent).error();
        changed_.notify_all();
    }
}

Result<std::string> ImportSender::ask(const char* target, std::string_view body) const {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (true) {
        auto answer = ask_service(socket_, "POST", target, body);
        if (answer || answer.error().code != ErrorCode::unavailable ||
            std::chrono::steady_clock::now() > until)
            return answer;
        std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
}

Result<void> ImportSender::send(const Request& request) {
    // Addresses first: whoever is told of them behind that is not written to in between.
    if (!request.suppressions.empty()) {
        auto body = '[' + request.suppressions;
        body.back() = ']';
        if (const auto answer = ask("/admin/suppressions", body); !answer) return answer.error();
    }
    const auto answer = ask(path_.c_str(), request.body);
    if (!answer) return answer.error();
    const auto json = nlohmann::json::parse(*answer, nullptr, false);
    if (!json.is_object() || !json.contains("rejected")) return {};
    std::vector<Refused> refused;
    for (const auto& item : json["rejected"]) {
        const auto index = item.value("index", std::size_t{0});
        if (index < request.lines.size())
            refused.push_back({request.lines[index], item.value("error", "refused")});
    }
    // A row of two messages is refused once.
    const auto twice = std::ranges::unique(refused, {}, &Refused::line);
    refused.erase(twice.begin(), twice.end());
    const std::scoped_lock lock{mutex_};
    refused_.insert(refused_.end(), refused.begin(), refused.end());
    return {};
}

} // namespace runtime
