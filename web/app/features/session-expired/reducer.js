// @ts-check

/** Who is logged in, and whether the server can be reached. @type {import('../../state/reducer.js').Slice} */
export function sessionSlice({ me }, event) {
  switch (event.type) {
    case 'snapshot': {
      const { hasEnded = false, isOnline = false } = event;
      return { me: event.me, hasEnded, line: isOnline ? 'online' : 'offline' };
    }
    case 'me':
      return { me: me && { ...me, username: event.username } };
    case 'ready':
      return { line: 'online' };
    case 'offline':
      return { line: 'offline' };
    case 'logged out':
      return { hasEnded: true, line: 'offline' };
  }
}
