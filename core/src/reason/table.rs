//! The table, in the order of the pipeline.

use super::Row;

reasons! {
    RequestMalformed "request.malformed" 400
        "Malformed request"
        "The request has no readable method, host or path"
        "La requête n'a pas de méthode, d'hôte ou de chemin lisible"
        "The method, the host or the path is missing, repeated, contradictory or unreadable."
    PathInvalid "path.invalid" 400
        "Invalid path"
        "The path holds a character that no path may hold"
        "Le chemin contient un caractère interdit"
        "The path holds a space or `#` plainly, or NUL or another control character plainly or percent-encoded; or it does not begin with `/`."
    PathTooLong "path.too_long" 414
        "Path too long"
        "The path is longer than 8192 bytes"
        "Le chemin dépasse 8192 octets"
        "The path, without the query, is longer than 8192 bytes."
    PathAmbiguous "path.ambiguous" 400
        "Ambiguous path"
        "The path could mean two things that are not protected alike"
        "Le chemin peut désigner deux ressources qui ne sont pas protégées de la même façon"
        "Decoded, with its dot segments removed or in another case, the path meets a route with other requirements. Write the path as the route writes it."
    MethodAmbiguous "method.ambiguous" 400
        "Ambiguous method"
        "The query names another method, which is not protected like the request's own"
        "La requête désigne dans son adresse une autre méthode, qui n'est pas protégée de la même façon"
        "The query has a parameter that some frameworks take for the method (`_method=DELETE`), and the routes of this path ask for something else for it. Send the request with that method."
    ModuleUnknown "module.unknown" 404
        "Not found"
        "No service answers at this address"
        "Aucun service ne répond à cette adresse"
        "No module has this host and path prefix."
    RouteUnknown "route.unknown" 404
        "Not found"
        "This address leads nowhere"
        "Cette adresse ne mène nulle part"
        "The module lists no route for this path: what no route lists is refused."
    MethodNotAllowed "method.not_allowed" 405
        "Method not allowed"
        "This address does not answer this method"
        "Cette adresse n'accepte pas cette méthode"
        "The routes of this path do not list the method; `Allow` names those that they list."
    EmbedTopLevel "embed.top_level" 403
        "Direct access refused"
        "This service opens inside the platform only"
        "Ce service ne s'ouvre que depuis la plateforme"
        "The module says `embed.only`, and a browser opened it in a tab of its own, with or without a token."
    AddressUnknown "address.unknown" 403
        "Address unknown"
        "The address of the caller cannot be known here"
        "L'adresse de l'appelant ne peut pas être connue ici"
        "The route lists addresses, and the connection has none (a Unix socket, for instance)."
    AddressUnvouched "address.unvouched" 403
        "Address not vouched for"
        "The address of the caller cannot be trusted here"
        "L'adresse de l'appelant n'est pas digne de confiance ici"
        "The route lists addresses, and Envoy took the caller's from X-Forwarded-For. Set `use_remote_address: true` on the connection manager, or name its trusted proxies and set `client_address: envoy`."
    AddressNotAllowed "address.not_allowed" 403
        "IP not allowed"
        "Your IP ({address}) is not authorized to access this service"
        "Votre adresse IP ({address}) n'est pas autorisée à utiliser ce service"
        "The caller's address is in none of the route's `addresses`."
    CredentialRepeated "credential.repeated" 400
        "Repeated credential"
        "A credential stands twice in the request"
        "Un même justificatif figure deux fois dans la requête"
        "A header, a query parameter or a cookie that carries a credential is there more than once."
    CredentialConflict "credential.conflict" 400
        "Conflicting credentials"
        "The request carries two different credentials"
        "La requête porte deux justificatifs différents"
        "Two explicit credentials of one kind differ: a header and the query, or two headers."
    ApiKeyMissing "api_key.missing" 401
        "Authorization required"
        "Service API Key required. Set '{key_header}'"
        "Une clé de service est requise. Envoyez '{key_header}'"
        "The route requires an API key, and the request carries none where the key is looked for."
    ApiKeyInvalid "api_key.invalid" 401
        "Invalid service API key"
        "The provided service API key is incorrect"
        "La clé de service fournie est incorrecte"
        "The API key is none of those that the route names."
    ApiKeyNotYetValid "api_key.not_yet_valid" 401
        "Service API key not valid yet"
        "The provided service API key is not valid yet"
        "La clé de service fournie n'est pas encore valable"
        "The API key is right, and its `not_before` is still to come."
    ApiKeyExpired "api_key.expired" 401
        "Service API key expired"
        "The provided service API key is no longer valid"
        "La clé de service fournie n'est plus valable"
        "The API key is right, and its `not_after` has passed."
    ApiKeyRoles "api_key.roles" 403
        "Insufficient role"
        "This service API key may not do this"
        "Cette clé de service ne permet pas cette action"
        "The API key is right, and has none of the roles that the route asks for."
    TokenMissing "token.missing" 401
        "Authentication required"
        "Open this service from the platform, which gives access to it"
        "Ouvrez ce service depuis la plateforme, qui en donne l'accès"
        alone "An access token is required. {token_place}"
        "Un jeton d'accès est requis. {token_place}"
        "The route requires a token, and none stands where the module looks for tokens. In a module that says `embed.only`, the query is read on frame navigations alone."
    CookieBlocked "cookie.blocked" 401
        "Cookie refused by the browser"
        "Your browser does not keep the cookie of this service, which is shown inside another site. Allow its cookies in the browser's settings, then open the page again"
        "Votre navigateur ne conserve pas le cookie de ce service, affiché à l'intérieur d'un autre site. Autorisez ses cookies dans les réglages du navigateur, puis rouvrez la page"
        "A token was exchanged for a cookie, and the browser came back without it: it keeps no cookies of a site in a frame of another. A host under the platform's registrable domain works in every browser (docs/browsers.md)."
    TokenTooLarge "token.too_large" 401
        "Token too large"
        "The access token is too large"
        "Le jeton d'accès est trop grand"
        "The token is longer than 16384 bytes."
    TokenMalformed "token.malformed" 401
        "Invalid token"
        "The access token cannot be read"
        "Le jeton d'accès est illisible"
        "The token is not three parts of strict base64url, its JSON is broken or repeats a member, or a registered claim is not of its type."
    TokenType "token.type" 401
        "Invalid token"
        "The token is of another kind than an access token"
        "Le jeton n'est pas un jeton d'accès"
        "The token's `typ` is none of those that the issuer accepts: `JWT`, `JOSE`, `at+jwt` or none, unless its `typ` names others (RFC 8725 §3.11)."
    TokenCritical "token.critical" 401
        "Invalid token"
        "The access token asks for something that is not supported"
        "Le jeton d'accès demande une fonction qui n'est pas prise en charge"
        "The token's header has `crit` (RFC 7515 §4.1.11): an extension that must be understood, and is not."
    TokenAlgorithm "token.algorithm" 401
        "Invalid token"
        "The access token is signed in a way that is not accepted"
        "Le jeton d'accès est signé d'une manière qui n'est pas acceptée"
        "The token's `alg` is not among the issuer's `algorithms`; `none` never is."
    TokenKeyUnknown "token.key_unknown" 401
        "Invalid token"
        "The access token is signed with an unknown key"
        "Le jeton d'accès est signé avec une clé inconnue"
        "The issuer has no key with the token's `kid` for its algorithm."
    TokenIssuer "token.issuer" 401
        "Invalid token"
        "The access token comes from another issuer"
        "Le jeton d'accès vient d'un autre émetteur"
        "The token's `iss` is not what the issuer's `issuer` says."
    TokenAudience "token.audience" 401
        "Invalid token"
        "The access token is meant for another audience"
        "Le jeton d'accès est destiné à un autre public"
        "The token's `aud` holds none of the issuer's `audiences`, or it has one and the issuer lists none (RFC 7519 §4.1.3)."
    TokenNoExpiry "token.no_expiry" 401
        "Invalid token"
        "The access token has no expiry"
        "Le jeton d'accès n'a pas de date d'expiration"
        "The token has no `exp`, and the issuer does not say `require_exp: false`."
    TokenExpired "token.expired" 401
        "Token expired"
        "The session has ended. Open this service from the platform again"
        "La session est terminée. Rouvrez ce service depuis la plateforme"
        alone "The access token has expired. Get a new one"
        "Le jeton d'accès a expiré. Demandez-en un nouveau"
        "The token's `exp` has passed. The platform can refresh a session before its end: see docs/platform.md."
    TokenNotYetValid "token.not_yet_valid" 401
        "Token not valid yet"
        "The access token is not valid yet"
        "Le jeton d'accès n'est pas encore valable"
        "The token's `nbf` is still to come, or its `iat` where `max_lifetime` counts from it: compare the clocks."
    TokenRevoked "token.revoked" 401
        "Access withdrawn"
        "This access was withdrawn. Open this service from the platform again"
        "Cet accès a été retiré. Ouvrez de nouveau ce service depuis la plateforme"
        alone "This access was withdrawn. Get a new access token"
        "Cet accès a été retiré. Demandez un nouveau jeton d'accès"
        "The issuer's `revoked` names the token's `jti`, or the token was issued before its `issued_before` (or does not say when)."
    TokenLifetime "token.lifetime" 401
        "Invalid token"
        "The access token lives too long"
        "La durée de vie du jeton d'accès est trop longue"
        "The token lives longer than the issuer's `max_lifetime`."
    TokenModule "token.module" 403
        "Token for another module"
        "The access token was made for another service"
        "Le jeton d'accès a été créé pour un autre service"
        "The token's module claim does not name this module."
    TokenSignature "token.signature" 401
        "Invalid token"
        "The access token is not genuine"
        "Le jeton d'accès n'est pas authentique"
        "No key of the issuer verifies the token's signature."
    TokenClaims "token.claims" 403
        "Access refused"
        "The account does not give access to this"
        "Votre compte ne donne pas accès à cette ressource"
        "A claim that the route requires is missing or has another value."
    TokenRoles "token.roles" 403
        "Access refused"
        "The role of this account does not allow this"
        "Le rôle de votre compte ne permet pas cette action"
        "The token holds none of the route's `roles`."
    OriginMissing "origin.missing" 403
        "Origin required"
        "The request does not say which site it comes from"
        "La requête ne dit pas de quel site elle vient"
        "A cookie would admit an unsafe method or a websocket, and neither Sec-Fetch-Site nor Origin is there. Callers that are not browsers send the token in a header."
    OriginForeign "origin.foreign" 403
        "Foreign origin"
        "The request comes from a site that may not send it"
        "La requête vient d'un site qui n'est pas autorisé à l'envoyer"
        "A cookie would admit a request of another site, which the route's `origins` does not list."
    HeaderRequired "header.required" 428
        "Header required"
        "The header {header} is required here"
        "L'en-tête {header} est requis ici"
        "A header of the route's `require_headers` is missing, repeated, too short or unreadable."
    BodyEncoding "body.encoding" 415
        "Unsupported encoding"
        "The body is compressed, which is not accepted here"
        "Le corps de la requête est compressé, ce qui n'est pas accepté ici"
        "The route has a `body` section, and Content-Encoding says that the body is not as it stands: its size and fields could not be told."
    BodyMediaType "body.media_type" 415
        "Unsupported media type"
        "The body is of a kind that is not accepted here"
        "Le corps de la requête est d'un type qui n'est pas accepté ici"
        "Content-Type is not among the route's `media_types`, or is missing or repeated; or JSON is said to be in another charset than UTF-8; or a websocket was asked for, of which no body could be looked at."
    BodyLengthRequired "body.length_required" 411
        "Length required"
        "The size of the body must be known beforehand: send Content-Length"
        "La taille du corps doit être connue d'avance : envoyez Content-Length"
        "A body that is not JSON came without Content-Length, and the route does not say `chunked: cut`."
    BodyUnfinished "body.unfinished" 408
        "Request not finished"
        "The request ended before its body did"
        "La requête s'est terminée avant son contenu"
        "The caller left, or Envoy ended the stream (its idle timeout, its buffer's limit), while a body was held to be looked at: the app saw nothing of it. No answer has this reason."
    BodyTooLarge "body.too_large" 413
        "Body too large"
        "The body is larger than is accepted here"
        "Le corps de la requête est trop volumineux"
        "The body is larger than the route's `max_bytes`, by its Content-Length or by what came. Of a stream that is cut, the app saw the beginning, and the request counts twice."
    BodyInvalid "body.invalid" 422
        "Invalid body"
        "The field {field} is not accepted: {problem}"
        "Le champ {field} n'est pas accepté : {problem}"
        "The body is not JSON, repeats a member, or a field is not as the route's `json` wants it; the answer says which."
    ConcurrencyFull "concurrency.full" 429
        "Too many requests at once"
        "Another request of yours is under way. Try again in a moment"
        "Une autre de vos requêtes est en cours. Réessayez dans un instant"
        "The caller has as many requests under way on this route as its `concurrency` allows."
    StreamExpired "stream.expired" 401
        "Session ended"
        "The session has ended. Open this service from the platform again"
        "La session est terminée. Rouvrez ce service depuis la plateforme"
        alone "The credential has ended while the answer was on its way. Ask again with a new one"
        "Le justificatif a pris fin pendant la réponse. Redemandez avec un nouveau"
        "The token's `exp` came, or the API key's `not_after`, while the stream was open, and the route says `close_at_exp`. An answer has this reason where the app had not begun its own; else the stream was reset. The request counts twice."
    ClaimUnsendable "claim.unsendable" 403
        "Unusable token"
        "The access token names the account in a way that cannot be passed on"
        "Le jeton d'accès désigne le compte d'une manière qui ne peut être transmise"
        "A claim that `forward` sends holds what no header can carry: control characters, letters outside ASCII, spaces at its ends, an object."
    ExchangeInsecure "exchange.insecure" 400
        "HTTPS required"
        "This service opens over HTTPS only"
        "Ce service ne s'ouvre qu'en HTTPS"
        "A token came over plain http: browsers would drop the session's cookie. Serve the module over TLS, and let x-forwarded-proto say so where TLS ends before Envoy."
    ExchangeTooLarge "exchange.too_large" 400
        "Token too large"
        "The access token does not fit in a cookie"
        "Le jeton d'accès ne tient pas dans un cookie"
        "The token and the cookie's name are longer than 4096 bytes together: browsers would drop the cookie in silence."
    ExchangeSubject "exchange.subject" 403
        "Another session is open"
        "Another account is signed in here, and this link would replace it"
        "Un autre compte est connecté ici, et ce lien le remplacerait"
        "A token of another subject came, and neither Origin nor Referer says that the platform or an ancestor asks: it may have been planted. A refresh by the platform's page replaces the session."
    RefreshOrigin "refresh.origin" 403
        "Foreign origin"
        "This site may not refresh the session"
        "Ce site n'est pas autorisé à prolonger la session"
        "The refresh path was called without an Origin, or with one that `embed.ancestors` does not list."
    AllowedPublic "allowed.public" 0
        "" "" ""
        "The route says `public: true`."
    AllowedAddress "allowed.address" 0
        "" "" ""
        "The caller's address is listed, and the route asks for nothing else."
    AllowedAnonymous "allowed.anonymous" 0
        "" "" ""
        "The route says `optional: true` of its token, and the request carries none."
    AllowedApiKey "allowed.api_key" 0
        "" "" ""
        "An API key admitted the request."
    AllowedToken "allowed.token" 0
        "" "" ""
        "A token admitted the request."
    AllowedObserved "allowed.observed" 0
        "" "" ""
        "`mode: observe` let a request through that would be refused; `would_refuse` says why."
    StatusAnswered "status.answered" 200
        "" "" ""
        "Vigile answered a `status: true` route."
    LogoutDone "logout.done" 204
        "" "" ""
        "Vigile answered a `logout: true` route: the session's cookies are taken back."
    ExchangeDone "exchange.done" 303
        "" "" ""
        "A good token in the query became a cookie, and the browser was sent to the same address without it."
    ExchangeKept "exchange.kept" 303
        "" "" ""
        "The browser came back from an exchange with the cookie, and was sent to the same address without the mark of it."
    RefreshDone "refresh.done" 204
        "" "" ""
        "The platform's page renewed the session's cookie."
}
