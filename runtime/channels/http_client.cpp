#include "runtime/channels/http_client.hpp"

#include "journeys/lower_case.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace runtime {
namespace {

constexpr std::size_t body_bytes_max = 64 * 1024;
constexpr std::size_t message_id_bytes_max = 128;
constexpr std::chrono::milliseconds retry_after_max = std::chrono::hours{24};

void init_curl_once() {
    static const auto done = curl_global_init(CURL_GLOBAL_DEFAULT);
    (void)done;
}

/// One request while it is under way.
struct Transfer {
    HttpRequest request;
    std::function<void(HttpResponse)> done;
    HttpResponse response;
    curl_slist* headers = nullptr;
    curl_slist* recipients = nullptr;
    CURL* handle = nullptr;
    std::size_t uploaded = 0; ///< Bytes of the body that libcurl has taken.

    bool is_mail() const { return !request.mail_to.empty(); }

    ~Transfer() {
        curl_slist_free_all(headers);
        curl_slist_free_all(recipients);
        if (handle) curl_easy_cleanup(handle);
    }
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* context) {
    auto& body = static_cast<Transfer*>(context)->response.body;
    body.append(data, std::min(size, body_bytes_max - std::min(body.size(), body_bytes_max)));
    return size;
}

std::size_t give_upload(char* buffer, std::size_t size, std::size_t count, void* context) {
    auto& transfer = *static_cast<Transfer*>(context);
    const auto& body = transfer.request.body;
    const auto given = std::min(size * count, body.size() - transfer.uploaded);
    body.copy(buffer, given, transfer.uploaded);
    transfer.uploaded += given;
    return given;
}

/// The value of the header `name` (lower case, with its colon), where `line` is that.
std::optional<std::string> header_value(std::string_view line, std::string_view name) {
    if (line.size() <= name.size() || journeys::to_lower(line.substr(0, name.size())) != name)
        return std::nullopt;
    std::string value{line.substr(name.size())};
    value.erase(0, value.find_first_not_of(" \t"));
    value.erase(value.find_last_not_of(" \t\r\n") + 1);
    return value;
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* context) {
    const std::string_view line{data, size};
    auto& response = static_cast<Transfer*>(context)->response;
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    if (const auto value = header_value(line, "retry-after:"))
        response.retry_after = parse_retry_after(*value, now);
    for (const auto* name : {"x-ratelimit-reset:", "ratelimit-reset:"})
        if (const auto value = header_value(line, name))
            response.rate_limit_reset = parse_rate_limit_reset(*value, now);
    if (const auto value = header_value(line, "x-message-id:"))
        response.message_id = value->substr(0, message_id_bytes_max);
    return size;
}

} // namespace

std::optional<std::chrono::milliseconds> parse_retry_after(const std::string& value,
                                                           std::chrono::sys_seconds now) {
    long long seconds = 0;
    const auto* const end = value.data() + value.size();
    const auto [rest, error] = std::from_chars(value.data(), end, seconds);
    if (error == std::errc{} && rest == end) {
        if (seconds < 0) return std::nullopt;
        return std::min<std::chrono::milliseconds>(
            std::chrono::seconds{std::min(seconds, 86'400LL)}, retry_after_max);
    }
    const auto date = curl_getdate(value.c_str(), nullptr);
    if (date < 0) return std::nullopt;
    const auto span = std::chrono::sys_seconds{std::chrono::seconds{date}} - now;
    return std::clamp<std::chrono::milliseconds>(span, std::chrono::milliseconds{0},
                                                 retry_after_max);
}

std::optional<std::chrono::milliseconds> parse_rate_limit_reset(const std::string& value,
                                                                std::chrono::sys_seconds now) {
    constexpr long long first_instant = 1'000'000'000; // Nobody asks to wait for thirty years.
    long long seconds = 0;
    const auto* const end = value.data() + value.size();
    const auto [rest, error] = std::from_chars(value.data(), end, seconds);
    if (error != std::errc{} || rest != end || seconds < 0) return std::nullopt;
    if (seconds >= first_instant) seconds -= now.time_since_epoch().count();
    return std::clamp<std::chrono::milliseconds>(std::chrono::seconds{std::min(seconds, 86'400LL)},
                                                 std::chrono::milliseconds{0}, retry_after_max);
}

class HttpClient::Loop {
public:
    explicit Loop(std::size_t connections_max) : multi_(curl_multi_init()) {
        curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                          static_cast<long>(connections_max));
        curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(connections_max));
        thread_ = std::thread{[this] { run(); }};
    }

    ~Loop() {
        stopping_ = true;
        curl_multi_wakeup(multi_);
        thread_.join();
        curl_multi_cleanup(multi_);
    }

    void add(std::unique_ptr<Transfer> transfer) {
        {
            const std::scoped_lock lock{mutex_};
            waiting_.push_back(std::move(transfer));
        }
        curl_multi_wakeup(multi_);
    }

private:
    void run() {
        while (!stopping_) {
            start_waiting();
            int running = 0;
            curl_multi_perform(multi_, &running);
            finish_done();
            curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
        }
        start_waiting();
        for (auto& [handle, transfer] : under_way_) {
            curl_multi_remove_handle(multi_, handle);
            complete(*transfer, CURLE_ABORTED_BY_CALLBACK);
        }
        under_way_.clear();
    }

    void start_waiting() {
        std::vector<std::unique_ptr<Transfer>> started;
        {
            const std::scoped_lock lock{mutex_};
            started.swap(waiting_);
        }
        for (auto& transfer : started) {
            auto* const handle = transfer->handle = curl_easy_init();
            const auto& request = transfer->request;
            if (transfer->is_mail()) {
                set_up_mail(*transfer);
            } else {
                set_up_http(*transfer);
            }
            curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
            curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
            curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
            curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS,
                             static_cast<long>(request.timeout.count()));
            curl_easy_setopt(
                handle, CURLOPT_CONNECTTIMEOUT_MS,
                static_cast<long>(std::min<std::int64_t>(request.timeout.count(), 5'000)));
            curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
            curl_easy_setopt(handle, CURLOPT_WRITEDATA, transfer.get());
            if (!request.user.empty())
                curl_easy_setopt(handle, CURLOPT_USERPWD, request.user.c_str());
            curl_multi_add_handle(multi_, handle);
            under_way_[handle] = std::move(transfer);
        }
    }

    static void set_up_http(Transfer& transfer) {
        auto* const handle = transfer.handle;
        const auto& request = transfer.request;
        for (const auto& [name, value] : request.headers)
            transfer.headers = curl_slist_append(transfer.headers, (name + ": " + value).c_str());
        // No 100-continue: it costs a round trip and blurs what has been written.
        transfer.headers = curl_slist_append(transfer.headers, "Expect:");
        curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
        curl_easy_setopt(handle, CURLOPT_HTTPHEADER, transfer.headers);
        curl_easy_setopt(handle, CURLOPT_POST, 1L);
        // Given piece by piece and never twice: where a connection that was used before ends
        // without an answer, libcurl would send a body that it holds again by itself, and a
        // provider that has taken the first would get the message a second time.
        curl_easy_setopt(handle, CURLOPT_READFUNCTION, give_upload);
        curl_easy_setopt(handle, CURLOPT_READDATA, &transfer);
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(request.body.size()));
        curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
        curl_easy_setopt(handle, CURLOPT_HEADERDATA, &transfer);
    }

    static void set_up_mail(Transfer& transfer) {
        auto* const handle = transfer.handle;
        const auto& request = transfer.request;
        transfer.recipients = curl_slist_append(nullptr, ('<' + request.mail_to + '>').c_str());
        curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        curl_easy_setopt(handle, CURLOPT_USE_SSL,
                         static_cast<long>(request.must_encrypt ? CURLUSESSL_ALL : CURLUSESSL_TRY));
        curl_easy_setopt(handle, CURLOPT_MAIL_FROM, ('<' + request.mail_from + '>').c_str());
        curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, transfer.recipients);
        curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(handle, CURLOPT_READFUNCTION, give_upload);
        curl_easy_setopt(handle, CURLOPT_READDATA, &transfer);
        curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE,
                         static_cast<curl_off_t>(request.body.size()));
    }

    void finish_done() {
        int left = 0;
        while (const auto* const message = curl_multi_info_read(multi_, &left)) {
            if (message->msg != CURLMSG_DONE) continue;
            auto* const handle = message->easy_handle;
            const auto code = message->data.result;
            const auto found = under_way_.find(handle);
            const auto transfer = std::move(found->second);
            under_way_.erase(found);
            curl_multi_remove_handle(multi_, handle);
            complete(*transfer, code);
        }
    }

    static void complete(Transfer& transfer, CURLcode code) {
        auto& response = transfer.response;
        if (code == CURLE_OK) {
            curl_easy_getinfo(transfer.handle, CURLINFO_RESPONSE_CODE, &response.status);
        } else {
            long sent = 0;
            curl_easy_getinfo(transfer.handle, CURLINFO_REQUEST_SIZE, &sent);
            response.status = 0;
            response.may_have_arrived = sent > 0;
            if (transfer.is_mail()) {
                // A reply that refuses is an answer. Without one, all that counts is whether the
                // mail had been given in full: a server takes nothing before the final full stop.
                long reply = 0;
                curl_easy_getinfo(transfer.handle, CURLINFO_RESPONSE_CODE, &reply);
                if (reply >= 400) response.status = reply;
                response.may_have_arrived = transfer.uploaded == transfer.request.body.size();
            }
            response.error = curl_easy_strerror(code);
        }
        transfer.done(std::move(response));
    }

    CURLM* multi_;
    std::atomic<bool> stopping_{false};
    std::mutex mutex_;
    std::vector<std::unique_ptr<Transfer>> waiting_; ///< Guarded by `mutex_`.
    std::unordered_map<CURL*, std::unique_ptr<Transfer>> under_way_;
    std::thread thread_;
};

HttpClient::HttpClient(std::size_t connections_max) {
    init_curl_once();
    loop_ = std::make_unique<Loop>(connections_max);
}
HttpClient::~HttpClient() = default;

void HttpClient::request(HttpRequest request, std::function<void(HttpResponse)> done) {
    auto transfer = std::make_unique<Transfer>();
    transfer->request = std::move(request);
    transfer->done = std::move(done);
    loop_->add(std::move(transfer));
}

} // namespace runtime
