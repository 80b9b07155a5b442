// The parts of Asio and Beast that are no templates, compiled here once for everyone.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
